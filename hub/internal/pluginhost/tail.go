package pluginhost

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// keptWords is how many of the last lines of a process are kept to explain its end.
	keptWords = 12
	// wordLength bounds each of them, in bytes.
	wordLength = 300
)

// tail keeps the last lines that one process wrote, also those that were too many to
// be logged. output.mu guards it.
type tail struct {
	output *output
	lines  []written // a ring; next is the oldest
	next   int
	// crash is the line with the reason of a Go program's crash: its long trace would
	// push it out.
	crash written
}

// written is a line as it was written.
type written struct {
	at  time.Time
	raw []byte
	cut bool
}

func newTail(o *output) *tail { return &tail{output: o} }

// keep stores a line. It runs for every line of a flood, so it allocates nothing when a
// line replaces another. The caller holds output.mu.
func (t *tail) keep(raw []byte, cut bool, at time.Time) {
	if len(raw) == 0 {
		return
	}
	if t.crash.raw == nil && (bytes.HasPrefix(raw, []byte("panic:")) || bytes.HasPrefix(raw, []byte("fatal error:"))) {
		t.crash = written{at: at, raw: bytes.Clone(raw), cut: cut}
	}
	if len(t.lines) < keptWords {
		t.lines = append(t.lines, written{at: at, raw: bytes.Clone(raw), cut: cut})
		return
	}
	oldest := &t.lines[t.next]
	*oldest = written{at: at, raw: append(oldest.raw[:0], raw...), cut: cut}
	t.next = (t.next + 1) % keptWords
}

// words are the last lines, oldest first, redacted; one with the reason of a Go program's
// crash comes first.
func (t *tail) words() []LogLine {
	t.output.mu.Lock()
	defer t.output.mu.Unlock()
	ordered := append(append([]written(nil), t.lines[t.next:]...), t.lines[:t.next]...)
	if t.crash.raw != nil && !slices.ContainsFunc(ordered, func(w written) bool { return bytes.Equal(w.raw, t.crash.raw) }) {
		ordered = append([]written{t.crash}, ordered[1:]...)
	}
	shown, rest := make([]LogLine, 0, len(ordered)), ""
	for _, w := range ordered {
		var l line
		l, rest = t.output.understand(w.raw, w.cut, rest)
		shown = append(shown, LogLine{At: w.at, Level: l.level.String(), Text: shortened(withFields(l))})
	}
	return shown
}

// errorLineRE is a line by which interpreters name what ended them.
var errorLineRE = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.]*)?(Error|Exception)\b.*:`)

// best is the line that best explains why the process exited: the one of a panic or an
// error, else the last one; "" if it wrote none.
func (t *tail) best() string { return bestOf(t.words()) }

func bestOf(words []LogLine) string {
	best := ""
	for _, w := range words {
		if isCrash(w.Text) {
			return w.Text
		}
		if errorLineRE.MatchString(w.Text) || !errorLineRE.MatchString(best) {
			best = w.Text
		}
	}
	return best
}

// shortened cuts a text that is printable already.
func shortened(text string) string {
	if len(text) <= wordLength {
		return text
	}
	return strings.ToValidUTF8(text[:wordLength], "") + "…"
}
