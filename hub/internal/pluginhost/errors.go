package pluginhost

import (
	"errors"
	"fmt"
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
	// Reason says what happened, for people. No secrets.
	Reason string
}

// Error implements error.
func (e *UnavailableError) Error() string {
	if e.RetryAfter > 0 {
		return fmt.Sprintf("the plugin is not available, try again in %s: %s", e.RetryAfter.Round(100*time.Millisecond), e.Reason)
	}
	return "the plugin is not available: " + e.Reason
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
