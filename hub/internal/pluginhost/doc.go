// Package pluginhost runs plugins: it finds their executables, starts a process
// when a provider is first needed, watches it, and replaces it when it fails.
// A plugin is third-party code, so its failures are contained here: a crash, a hang, a
// flood of output or a false answer affects neither the hub nor another plugin.
//
// Scan (scan.go) lists the executables evergrant-provider-* of a folder, takes
// the descriptions of known ones from a cache by their SHA-256 and starts the
// others once to describe themselves. Descriptions then returns the available providers.
//
// Run (run.go) runs an operation of a provider. The provider's
// supervisor (supervisor.go) hands out its running process, or starts one while
// all callers wait for the same start (start.go). The operation runs on it; a
// limited number at a time.
//
// A start (instance.go) goes through hashicorp/go-plugin with AutoMTLS, but on a
// process of our own (runner.go, process.go): an environment made from nothing,
// null as standard input, a private folder, a session of its own, and the
// parent-death signal that kills it when the hub exits. Its first line is read with
// limits (handshake.go), the address in it must be a socket in the private
// folder, and it is ready when its health is SERVING and it has described itself.
//
// Its output is read by the host (pipe.go, output.go, line.go): bounded, counted, without
// anything that looks like a token (redact.go), and logged as a field of the hub's own
// line.
//
// Its exit is detected by waiting for the process itself. The restart policy is in
// restarts.go: at once, then with growing delays, and after
// five failures in ten minutes only every five minutes. A failure that another
// start cannot cure, a defect, waits for the next Scan. A running process
// that does not answer three health checks is killed and replaced (watch.go).
//
// Every stop is bounded (stop.go): finish calls in flight, request the exit, wait, kill the
// process group, and only then let go-plugin release its resources.
package pluginhost
