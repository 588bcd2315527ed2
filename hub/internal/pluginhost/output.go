package pluginhost

import (
	"bytes"
	"io"
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

	mu      sync.Mutex
	tokens  float64 // lines that may be logged now
	refill  time.Time
	dropped int
	report  *time.Timer // set while dropped lines wait to be reported
	kept    []LogLine   // a ring; next is the oldest
	next    int
	// crash is the line that said why the last process that crashed did.
	crash LogLine
}

func newOutput(log hclog.Logger) *output {
	return &output{log: log, tokens: lineBurst, refill: time.Now()}
}

// read takes all lines of src until it ends. When the plugin writes more than
// is logged, it reads slowly, so that a flood costs the plugin and not the hub.
func (o *output) read(src io.Reader) {
	w := o.writer()
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

// writer returns a place to write one stream of lines to.
func (o *output) writer() *lineWriter { return &lineWriter{output: o} }

// lineWriter cuts a stream into lines.
type lineWriter struct {
	output *output
	line   []byte
	cut    bool // the line was longer than maxLine
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
	logged := w.output.add(w.line, w.cut)
	w.line, w.cut = w.line[:0], false
	return logged
}

// earn adds the lines that may be logged since the last call.
func (o *output) earn(now time.Time) {
	o.tokens = min(lineBurst, o.tokens+now.Sub(o.refill).Seconds()*linesASecond)
	o.refill = now
}

// add logs and keeps a line, or counts it if there are too many.
func (o *output) add(raw []byte, cut bool) bool {
	if len(raw) == 0 {
		return true
	}
	if o.tokens < 1 {
		o.drop()
		return false
	}
	o.tokens--
	l := parseLine(raw)
	if cut {
		l.text += " … (cut)"
	}
	args := []any{"text", l.text}
	if l.request != "" {
		args = append(args, "request_id", l.request)
	}
	if l.fields != "" {
		args = append(args, "fields", l.fields)
	}
	o.log.Log(l.level, "the plugin wrote", args...)
	kept := LogLine{At: o.refill, Level: l.level.String(), Text: withFields(l)}
	if o.keep(kept); isCrash(kept.Text) {
		o.crash = kept // a long trace would push it out
	}
	return true
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

// drop counts a line; the count is logged once in a while.
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
		o.log.Warn("the plugin writes too much; lines were dropped", "dropped", o.dropped, "lines_a_second", linesASecond)
		o.dropped = 0
	}
}

// lines returns what was kept, oldest first.
func (o *output) lines() []LogLine {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append(append([]LogLine(nil), o.kept[o.next:]...), o.kept[:o.next]...)
}

// lastWords returns the line since a time that best says why a process died: the
// one of a panic, else the last one; "" if it wrote none.
func (o *output) lastWords(since time.Time) string {
	lines := o.lines()
	o.mu.Lock()
	words := o.crash
	o.mu.Unlock()
	if words.At.Before(since) && len(lines) > 0 {
		words = lines[len(lines)-1]
	}
	if words.At.Before(since) {
		return ""
	}
	if len(words.Text) > 300 {
		return printable(words.Text[:300]) + "…"
	}
	return words.Text
}
