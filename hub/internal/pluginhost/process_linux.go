package pluginhost

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownSession takes the plugin away from the hub's terminal and signals, and has
// the kernel kill it when the hub is gone.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// limitProcess forbids core dumps: they hold secrets.
func limitProcess(pid int) {
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
}

// reap waits for the end of the process, ends what is left of its group, and only
// then gives its number free: until then the number cannot be a stranger's.
func (p *process) reap(cmd *exec.Cmd) {
	for errors.Is(unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
		continue
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killGroup()
	_ = cmd.Wait() // the result is in ProcessState
	p.reaped = true
}

// memoryOf is what a process has in memory, in bytes; 0 if it cannot be read.
func memoryOf(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(status), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}
