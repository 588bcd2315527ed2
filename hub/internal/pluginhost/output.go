package pluginhost

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	maxLine      = 8 << 10 // bytes
	linesASecond = 100
	lineBurst    = 200
	reportEvery  = 10 * time.Second
	keptLines    = 100
	// floodPause comes after each read of a flood. It costs the hub less than a
	// tenth of a processor, whatever the plugin writes.
	floodPause = 2 * time.Millisecond
)

// output takes what the processes of a plugin write and logs it within limits.
// It is safe for concurrent use.
type output struct {
	log hclog.Logger
	// raw receives all output unchanged; may be nil.
	raw io.Writer

	mu      sync.Mutex
	hidden  hidden
	tokens  float64 // lines that may be logged now
	refill  time.Time
	dropped int
	report  *time.Timer // set while dropped lines wait to be reported
	kept    []LogLine   // a ring; next is the oldest
	next    int
}

func newOutput(log hclog.Logger) *output {
	return &output{log: log, tokens: lineBurst, refill: time.Now()}
}

// read takes all lines of src, of the process of t, until it ends. When the plugin
// writes more than is logged, it reads slowly, so that a flood costs the plugin and not
// the hub.
func (o *output) read(src io.Reader, t *tail) {
	w := o.writer(t)
	chunk := make([]byte, 64<<10)
	for {
		n, err := src.Read(chunk)
		flooded := w.take(chunk[:n])
		if err != nil {
			w.end()
			return
		}
		if flooded {
			time.Sleep(floodPause)
		}
	}
}

// discard reads src to its end, slowly: nothing should come.
func discard(src io.Reader) {
	chunk := make([]byte, 64<<10)
	for {
		if _, err := src.Read(chunk); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// writer returns a place to write one stream of lines to, of the process of t.
func (o *output) writer(t *tail) *lineWriter { return &lineWriter{output: o, tail: t} }

// lineWriter cuts a stream into lines.
type lineWriter struct {
	output *output
	tail   *tail
	line   []byte
	cut    bool // the line was longer than maxLine
	// rest is the rest of a secret whose beginning ended the previous line.
	rest string
}

// Write implements io.Writer and never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.take(p)
	return len(p), nil
}

// take reports whether some of p was thrown away.
func (w *lineWriter) take(p []byte) (lost bool) {
	w.output.mu.Lock()
	defer w.output.mu.Unlock()
	w.output.copyRaw(p)
	w.output.earn(time.Now())
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte{'\n'})
		room := maxLine - len(w.line)
		w.line = append(w.line, part[:min(room, len(part))]...)
		w.cut = w.cut || len(part) > room
		lost = lost || w.cut
		if !ended {
			break
		}
		lost = !w.emit() || lost
		p = rest
	}
	return lost
}

// end logs a last line that has no newline.
func (w *lineWriter) end() {
	w.output.mu.Lock()
	defer w.output.mu.Unlock()
	if len(w.line) > 0 {
		w.emit()
	}
}

func (w *lineWriter) emit() bool {
	w.tail.keep(w.line, w.cut, w.output.refill)
	logged := w.add()
	w.line, w.cut = w.line[:0], false
	return logged
}

// earn adds the lines that may be logged since the last call.
func (o *output) earn(now time.Time) {
	o.tokens = min(lineBurst, o.tokens+now.Sub(o.refill).Seconds()*linesASecond)
	o.refill = now
}

// add logs and keeps the line, or counts it if there are too many.
func (w *lineWriter) add() bool {
	o := w.output
	if len(w.line) == 0 {
		return true
	}
	if o.tokens < 1 {
		w.rest = ""
		o.drop()
		return false
	}
	o.tokens--
	var l line
	l, w.rest = o.understand(w.line, w.cut, w.rest)
	args := []any{"text", l.text}
	if l.request != "" {
		args = append(args, "request_id", l.request)
	}
	if l.fields != "" {
		args = append(args, "fields", l.fields)
	}
	o.log.Log(l.level, "plugin output", args...)
	o.keep(LogLine{At: o.refill, Level: l.level.String(), Text: withFields(l)})
	return true
}

// understand reads a line without the secrets in it. The previous line may have ended
// with the beginning of a secret, which continues with before; rest is the same of this
// line. Secrets are searched in the raw and in the decoded text, because either may be an
// encoding of the other.
func (o *output) understand(raw []byte, cut bool, before string) (l line, rest string) {
	text := o.hidden.blankStart(strings.TrimRight(string(raw), "\r"), before)
	text, rest = o.hidden.blankEnd(o.hidden.blank(text))
	if l = parseLine([]byte(text), o.hidden.blank); cut {
		l.text, rest = l.text+" … (cut)", ""
	}
	return l, rest
}

func withFields(l line) string {
	if l.fields == "" {
		return l.text
	}
	return l.text + " " + l.fields
}

func (o *output) keep(l LogLine) {
	if len(o.kept) < keptLines {
		o.kept = append(o.kept, l)
		return
	}
	o.kept[o.next] = l
	o.next = (o.next + 1) % keptLines
}

// drop counts a dropped line; the count is logged at intervals.
func (o *output) drop() {
	o.dropped++
	if o.report == nil {
		o.report = time.AfterFunc(reportEvery, o.flush)
	}
}

// flush reports the lines that were dropped. A stop calls it as well.
func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.report != nil {
		o.report.Stop()
		o.report = nil
	}
	if o.dropped > 0 {
		o.log.Warn("plugin log rate exceeded, lines dropped", "dropped", o.dropped, "lines_a_second", linesASecond)
		o.dropped = 0
	}
}

// lines returns what was kept, oldest first.
func (o *output) lines() []LogLine {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append(append([]LogLine(nil), o.kept[o.next:]...), o.kept[:o.next]...)
}
