//go:build unix && !linux

package pluginhost

import (
	"os/exec"
	"syscall"
)

// ownSession takes the plugin away from the hub's terminal and signals. Only
// Linux can kill it when the hub is gone.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func limitProcess(int) {}

// memoryOf is not known here.
func memoryOf(int) int64 { return 0 }

// reap waits for the exit of the process. The rest of its group keeps running.
func (p *process) reap(cmd *exec.Cmd) {
	_ = cmd.Wait() // the result is in ProcessState
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
}
