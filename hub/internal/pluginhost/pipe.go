package pluginhost

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pipe is our end of a plugin's standard output or error. It is kept away from
// the runtime's poller, which would wake up for each write of a plugin even
// while the reader pauses, and so let a flood take a whole processor.
type pipe struct {
	data *os.File
	// wake ends a read: its other end is closed for that.
	wake, waker *os.File
}

// newPipe returns our end and the plugin's.
func newPipe() (ours *pipe, theirs *os.File, err error) {
	data, theirs, err := unpolledPipe()
	if err != nil {
		return nil, nil, err
	}
	wake, waker, err := unpolledPipe()
	if err != nil {
		return nil, nil, errors.Join(err, data.Close(), theirs.Close())
	}
	return &pipe{data: data, wake: wake, waker: waker}, theirs, nil
}

// unpolledPipe is os.Pipe with a reading end that the poller does not know.
func unpolledPipe() (r, w *os.File, err error) {
	polled, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make a pipe for a plugin: %w", err)
	}
	fd, err := unix.FcntlInt(polled.Fd(), unix.F_DUPFD_CLOEXEC, 0) // Fd makes it a blocking one
	if err := errors.Join(err, polled.Close()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make a pipe for a plugin: %w", err), w.Close())
	}
	return os.NewFile(uintptr(fd), "plugin"), w, nil
}

// Read implements io.Reader. It ends with the last writer, or by interrupt.
func (p *pipe) Read(b []byte) (int, error) {
	fds := []unix.PollFd{{Fd: int32(p.data.Fd()), Events: unix.POLLIN}, {Fd: int32(p.wake.Fd()), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, fmt.Errorf("wait for a plugin's output: %w", err)
		case fds[1].Revents != 0:
			return 0, io.EOF
		}
		return p.data.Read(b)
	}
}

// interrupt ends all reads, now and later.
func (p *pipe) interrupt() { _ = p.waker.Close() }

// close frees the pipe. No reader may be active.
func (p *pipe) close() {
	for _, f := range []*os.File{p.data, p.wake, p.waker} {
		_ = f.Close() // interrupt may have been first
	}
}
