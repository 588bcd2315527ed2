package pluginhost

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// State is what a plugin is doing.
type State string

// The states. A plugin that is idle, ready or in backoff needs no action; one that has
// failed is shown to the administrator.
const (
	// StateIdle has no process; the next call starts one.
	StateIdle State = "idle"
	// StateStarting has a process that is not ready yet.
	StateStarting State = "starting"
	// StateReady takes calls.
	StateReady State = "ready"
	// StateBackoff has failed and is not started again before its time.
	StateBackoff State = "backoff"
	// StateFailed has failed for a reason that stays, or too often.
	StateFailed State = "failed"
	// StateStopping is finishing what is in flight.
	StateStopping State = "stopping"
)

// PluginStatus is the status of a plugin for administrators.
type PluginStatus struct {
	// Name is the executable's name without evergrant-provider-.
	Name string
	Path string
	// Sum is the SHA-256 of the executable in lower-case hex.
	Sum string
	// Version is the version that the plugin reports.
	Version string
	// Package is the sum of the package that it was installed from; "" for a file in
	// the folder.
	Package string
	// Providers are the names of what it serves, sorted, and Hosts the patterns of the
	// hosts that they talk to.
	Providers []string
	Hosts     []string
	State     State
	// PID of the process; zero without one.
	PID int
	// Restarts counts the starts that followed a failure.
	Restarts int
	// StartedAt is when the process was started; zero without one.
	StartedAt time.Time
	// Memory is what its process has in memory now, in bytes.
	Memory int64
	// Sandbox is how it is to be confined, and Layers how its last process was.
	Sandbox sandbox.Mode
	Layers  []sandbox.Layer
	// Refused is why a newer version of it was not taken; "" if there is none.
	Refused string
	// Documents counts those that the hub has handed it, and Problems are of those among
	// them that it does not serve.
	Documents int
	Problems  []providerplugin.DocumentProblem
	// Deprecated are what it uses and should not any more.
	Deprecated []Deprecation
	// LastError is the plugin's last failure; it stays after a restart.
	LastError string
	// LastWords are the last lines of the process that failed so, at most 12, oldest
	// first, redacted; none if it wrote nothing.
	LastWords []LogLine
	// InFlight is the number of calls that run now.
	InFlight int
	// Log are the last lines that the plugin wrote, at most 100, oldest first,
	// redacted.
	Log []LogLine
}

// LogLine is a line that a plugin wrote, fit to be shown.
type LogLine struct {
	// At is when the hub read it.
	At time.Time
	// Level is trace, debug, info, warn or error.
	Level string
	Text  string
}
