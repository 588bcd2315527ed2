package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// hubConfig is how a hub process is started.
type hubConfig struct {
	name     string // of its log file
	binary   string
	dataDir  string
	database string // "" is SQLite in dataDir
	keyFile  string
	plugins  string
	// env are more variables.
	env []string
	// wrap is a command that starts the hub; nil starts it directly.
	wrap []string
}

// hubProcess is a hub in a process of its own.
type hubProcess struct {
	url     string
	log     string // file
	cmd     *exec.Cmd
	serving chan struct{} // closed when url is set
	exited  chan struct{}
	ended   time.Time // set before exited is closed
}

// startHub starts a hub; await serves or exits.
func (st *stage) startHub(ctx context.Context, c hubConfig) (*hubProcess, error) {
	args := append(append([]string{}, c.wrap...), c.binary, "serve")
	h := &hubProcess{
		log: filepath.Join(st.dir, c.name+".log"), cmd: exec.CommandContext(ctx, args[0], args[1:]...), //nolint:gosec // the hub under test
		serving: make(chan struct{}), exited: make(chan struct{}),
	}
	log, err := os.OpenFile(h.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	h.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "EVERGRANT_LISTEN=127.0.0.1:0", "EVERGRANT_EGRESS_PRIVATE_NETWORKS=127.0.0.0/8", "EVERGRANT_DATA_DIR=" + c.dataDir, "EVERGRANT_PLUGINS_DIR=" + c.plugins,
		"EVERGRANT_DATABASE_URL=" + c.database, "EVERGRANT_KEY_FILE=" + c.keyFile, "EVERGRANT_DATA_COMPARE_WAIT=" + compareWait,
	}, c.env...)
	h.cmd.Stderr = log
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	go h.watch(stdout)
	return h, nil
}

// watch reads the hub's greeting, then waits for its end.
func (h *hubProcess) watch(stdout io.Reader) {
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if _, at, found := strings.Cut(lines.Text(), " is running at "); found && h.url == "" {
			h.url = strings.TrimSpace(at)
			close(h.serving)
		}
	}
	_ = h.cmd.Wait() // how it ended is looked at where it matters
	h.ended = time.Now()
	close(h.exited)
}

// serves waits until the hub answers requests.
func (h *hubProcess) serves(ctx context.Context) error {
	select {
	case <-h.serving:
		return nil
	case <-h.exited:
		return fmt.Errorf("the hub ended before it served:\n%s", h.tail(15))
	case <-ctx.Done():
		return fmt.Errorf("the hub does not serve: %w\n%s", ctx.Err(), h.tail(15))
	}
}

// killed waits until the hub has died by SIGKILL.
func (h *hubProcess) killed(ctx context.Context) error {
	select {
	case <-h.exited:
	case <-ctx.Done():
		return fmt.Errorf("the step was not reached: %w", ctx.Err())
	}
	if status, ok := h.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("the hub ended by itself, with %s:\n%s", h.cmd.ProcessState, h.tail(15))
	}
	return nil
}

// stop ends the hub as a service manager does, and kills it if that takes longer
// than its own bound.
func (h *hubProcess) stop() { h.stopWithin(40 * time.Second) }

// stopWithin is stop with the bound; it reports whether the hub kept it.
func (h *hubProcess) stopWithin(bound time.Duration) bool {
	if h == nil {
		return true
	}
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-h.exited:
		return true
	case <-time.After(bound):
		h.kill()
		return false
	}
}

// kill is SIGKILL.
func (h *hubProcess) kill() {
	if h == nil {
		return
	}
	_ = h.cmd.Process.Kill()
	<-h.exited
}

func (h *hubProcess) tail(lines int) string {
	data, err := os.ReadFile(h.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
