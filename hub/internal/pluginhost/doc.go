// Package pluginhost runs plugins: it finds their executables, starts a process
// when a provider is first needed, watches it, and replaces it when it fails.
// A plugin is third-party code, so whatever it does ends at this border: it may
// crash, hang, flood or lie, and neither the hub nor another plugin notices.
//
// # The walk
//
// Scan (scan.go) lists the executables evergrant-provider-* of a folder, takes
// the descriptions of known ones from a cache by their SHA-256 and starts the
// others once to ask. From then on Descriptions says what can be connected.
//
// Run (run.go) is called with an operation of a provider. The provider's
// supervisor (supervisor.go) hands out its running process, or starts one while
// all callers wait for the same start (start.go). The operation runs on it; a
// limited number at a time.
//
// A start (instance.go) goes through hashicorp/go-plugin with AutoMTLS, but on a
// process of our own (runner.go, process.go): an environment made from nothing,
// null as standard input, a private folder, a session of its own, and the
// kernel's promise to kill it when the hub dies. Its first line is read with
// limits (handshake.go), the address in it must be a socket in the private
// folder, and it is ready when its health is SERVING and it has described itself.
//
// What it writes is read by us (pipe.go, output.go, line.go): bounded, counted, without
// anything that looks like a token (redact.go), and logged as a value of a line
// of ours.
//
// Its end is seen by waiting for the process itself. How soon it may start again
// is decided by restarts (restarts.go): at once, then later and later, and after
// five failures in ten minutes only every five minutes. A failure that another
// start cannot cure, a defect, waits for the next Scan. A process that is alive
// but does not answer three health checks is killed and replaced (watch.go).
//
// Every stop is bounded (stop.go): finish what is in flight, ask, wait, kill the
// process group, and only then let go-plugin free what it holds.
package pluginhost
