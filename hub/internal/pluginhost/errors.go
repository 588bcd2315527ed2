package pluginhost

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrUnknownProvider is returned for a provider that no plugin serves.
var ErrUnknownProvider = errors.New("no plugin serves this provider")

// UnavailableError is returned for a provider whose plugin cannot take a call
// now: it failed and waits for its next start, has too many calls, or the host
// is stopping. The operation was not begun.
type UnavailableError struct {
	// RetryAfter is how long until another call may succeed; zero if that takes a
	// person: a defect of the plugin, seen again by the next Scan.
	RetryAfter time.Duration
	// Reason is what happened, for people. No secrets.
	Reason string
}

// Error implements error.
func (e *UnavailableError) Error() string {
	if e.RetryAfter > 0 {
		return fmt.Sprintf("the plugin is not available, try again in %s: %s", e.RetryAfter.Round(100*time.Millisecond), e.Reason)
	}
	return "the plugin is not available: " + e.Reason
}

// LossError is what Options.Accept returns for a new version that works, but lacks what
// services use. A person may accept that; see Package.LossesAccepted.
type LossError struct {
	// Losses are sentences without a full stop, each naming its service.
	Losses []string
}

// Error implements error.
func (e *LossError) Error() string {
	return "services would lose what they use: " + strings.Join(e.Losses, "; ")
}

// spokenError is a failure of a process that wrote something before.
type spokenError struct {
	error
	words []LogLine
}

// Unwrap returns the cause.
func (e *spokenError) Unwrap() error { return e.error }

// withWords adds a process's output to its error: the most specific line to the text, all
// lines for wordsOf.
func withWords(err error, words []LogLine) error {
	if len(words) == 0 {
		return err
	}
	return &spokenError{error: fmt.Errorf("%w; it wrote: %s", err, bestOf(words)), words: words}
}

// wordsOf are the last lines of the process that failed; nil if it wrote none.
func wordsOf(err error) []LogLine {
	if e, ok := errors.AsType[*spokenError](err); ok {
		return e.words
	}
	return nil
}

// defect is a failure that another start cannot cure: the file has to change.
type defect struct{ reason string }

func (d *defect) Error() string { return d.reason }

func defectf(format string, args ...any) error {
	return &defect{reason: fmt.Sprintf(format, args...)}
}

func isDefect(err error) bool {
	_, ok := errors.AsType[*defect](err)
	return ok
}
