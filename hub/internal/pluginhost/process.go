package pluginhost

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// drainAfterExit bounds the reading of a process's output after its exit. A grandchild
// that left the process group may hold the pipes for ever.
const drainAfterExit = 250 * time.Millisecond

// process is a running executable in a session of its own.
type process struct {
	pid int
	// stdout and stderr are ours to read; they are closed soon after the exit.
	stdout, stderr *pipe
	// exited is closed when the process is gone, finished when its pipes are read
	// and closed as well.
	exited, finished chan struct{}
	// reading counts the readers of stdout and stderr.
	reading sync.WaitGroup

	mu     sync.Mutex
	reaped bool
	status string // how it ended, for people; set before exited is closed
	killed bool   // by a signal from outside, likewise
	excess string // what it took too much of and was killed for; "" if it was not
}

// startProcess starts a command with the host's pipes as its output. The caller has to
// call finish once.
func startProcess(cmd *exec.Cmd) (*process, error) {
	stdout, childOut, err := newPipe()
	if err != nil {
		return nil, err
	}
	defer childOut.Close()
	stderr, childErr, err := newPipe()
	if err != nil {
		stdout.close()
		return nil, err
	}
	defer childErr.Close()
	cmd.Stdout, cmd.Stderr = childOut, childErr
	p := &process{stdout: stdout, stderr: stderr, exited: make(chan struct{}), finished: make(chan struct{})}
	started := make(chan error)
	go p.hold(cmd, started)
	if err := <-started; err != nil {
		stdout.close()
		stderr.close()
		return nil, startError(err)
	}
	return p, nil
}

// plainCommand runs a file with exactly the environment env in the folder dir,
// without a sandbox.
func plainCommand(path, dir string, env []string) *exec.Cmd {
	return &exec.Cmd{Path: path, Args: []string{path}, Dir: dir, Env: env, SysProcAttr: ownSession()}
}

// end kills a process without a reader and waits for its exit.
func (p *process) end() {
	p.kill()
	p.finish()
}

// hold starts the process and stays on the thread that did until the process is
// gone: the kernel sends the death signal when that thread ends, not the hub.
func (p *process) hold(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := startWithRetry(cmd); err != nil {
		started <- err
		return
	}
	p.pid = cmd.Process.Pid
	limitProcess(p.pid)
	started <- nil

	p.reap(cmd)
	p.mu.Lock()
	p.status, p.killed = cmd.ProcessState.String(), wasKilled(cmd.ProcessState) && p.excess == ""
	p.status = cmp.Or(p.excess, p.status)
	p.mu.Unlock()
	close(p.exited)
}

// wasKilled distinguishes a process that was killed from one that exited.
func wasKilled(state *os.ProcessState) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok {
		return false
	}
	return status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGTERM)
}

// startWithRetry retries while the file is still open for writing: a concurrent fork may
// hold it for an instant (ETXTBSY).
func startWithRetry(cmd *exec.Cmd) error {
	for try := 1; ; try++ {
		err := cmd.Start()
		if !errors.Is(err, syscall.ETXTBSY) || try == 5 {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func startError(err error) error {
	for _, stays := range []error{fs.ErrPermission, fs.ErrNotExist, syscall.ENOEXEC, syscall.EISDIR} {
		if errors.Is(err, stays) {
			return defectf("the file cannot be executed (is it built for this machine, and executable?): %v", err)
		}
	}
	return fmt.Errorf("start its process: %w", err)
}

// finish closes the pipes once they are read, or at most a moment after the exit.
func (p *process) finish() {
	read := make(chan struct{})
	go func() {
		p.reading.Wait()
		close(read)
	}()
	<-p.exited
	select {
	case <-read:
	case <-time.After(drainAfterExit):
	}
	p.stdout.interrupt()
	p.stderr.interrupt()
	<-read
	p.stdout.close()
	p.stderr.close()
	close(p.finished)
}

// kill ends the process and its group at once. It may be called at any time.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		p.killGroup()
	}
}

func (p *process) killGroup() {
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	_ = syscall.Kill(p.pid, syscall.SIGKILL)
}

// waitExit waits at most limit and reports whether the process is gone.
func (p *process) waitExit(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

func (p *process) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}
