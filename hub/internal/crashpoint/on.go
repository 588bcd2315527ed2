//go:build crashpoints

package crashpoint

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Env is the variable that arms a step.
const Env = "EVERGRANT_TEST_CRASH"

// pluginPrefix begins the name of every plugin's executable.
const pluginPrefix = "evergrant-provider-"

// plan is what the environment asks for.
type plan struct {
	step    string
	nth     int64
	action  string
	barrier bool
	hits    atomic.Int64
	// reached is closed when the step is reached the nth time.
	reached chan struct{}
}

// actions beside the kill of this process.
const (
	actionPlugin = "plugin"
	actionStop   = "stop"
)

var armed = mustParse(os.Getenv(Env))

// At marks that a step is reached, and does what was asked for if it is the one.
func At(step string) {
	if armed == nil || armed.step != step {
		return
	}
	switch hit := armed.hits.Add(1); {
	case hit < armed.nth && armed.barrier:
		<-armed.reached
	case hit == armed.nth:
		armed.act()
		close(armed.reached)
	}
}

// act returns if the process goes on.
func (p *plan) act() {
	switch p.action {
	case actionPlugin:
		killPlugins()
	case actionStop:
		stopUntilWoken()
	default:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal arrives
	}
}

// stopUntilWoken returns once SIGCONT was received. The stop itself may take a
// moment to reach every thread: no thread passes the step before.
func stopUntilWoken() {
	woken := make(chan os.Signal, 1)
	signal.Notify(woken, syscall.SIGCONT)
	defer signal.Stop(woken)
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	<-woken
}

func mustParse(text string) *plan {
	p, err := parse(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2) // a test that kills nothing would prove nothing
	}
	return p
}

func parse(text string) (*plan, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ":")
	p := &plan{step: parts[0], nth: 1, reached: make(chan struct{})}
	if !slices.Contains(slices.Concat(Steps, Between, Sends, Authorizes), p.step) {
		return nil, fmt.Errorf("%s: there is no step %q; the steps are %s", Env, p.step, strings.Join(slices.Concat(Steps, Between), ", "))
	}
	for _, part := range parts[1:] {
		switch part {
		case actionPlugin, actionStop:
			p.action = part
			continue
		case "barrier":
			p.barrier = true
			continue
		}
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: %q is neither a count nor \"plugin\", \"stop\" or \"barrier\"", Env, part)
		}
		p.nth = n
	}
	return p, nil
}

// killPlugins kills the plugins of this process and returns when they are dead.
func killPlugins() {
	for _, pid := range plugins() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		for alive(pid) {
			time.Sleep(100 * time.Microsecond) //nolint:forbidigo // the kernel tells nobody but the parent's waiter, which is elsewhere
		}
	}
}

// plugins finds the children of this process that are plugins.
func plugins() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if state, parent := stat(pid); state != 'Z' && parent == os.Getpid() && isPlugin(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func isPlugin(pid int) bool {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && strings.HasPrefix(filepath.Base(path), pluginPrefix)
}

func alive(pid int) bool {
	state, _ := stat(pid)
	return state != 0 && state != 'Z'
}

// stat reads the state and the parent of a process; zero if it is gone.
func stat(pid int) (state byte, parent int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, found := bytes.Cut(data, []byte(") "))
	fields := bytes.Fields(rest)
	if err != nil || !found || len(fields) < 2 {
		return 0, 0
	}
	parent, _ = strconv.Atoi(string(fields[1]))
	return fields[0][0], parent
}
