package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// outcomeTimeout bounds how long the shim may take to become the program.
const outcomeTimeout = 10 * time.Second

// Started is a program that is being started.
type Started struct {
	program Program
	// config is what the shim reads, outcome what it says; the other ends are the
	// child's.
	config, outcome           *os.File
	childConfig, childOutcome *os.File
	// inbox is where the shim puts its folder, childInbox the other end; folder is what
	// was in it.
	inbox, childInbox, folder *os.File
}

// Command makes a command that runs the file in a sandbox. Its standard streams
// are the caller's to set. After cmd.Start, successful or not, the caller calls
// Outcome. With spaces it asks the kernel for name spaces, which a system may
// refuse to make: cmd.Start fails with an error that NoSpaces recognizes.
func Command(file *os.File, p Program, spaces bool, why error) (*exec.Cmd, *Started, error) {
	s := &Started{program: p}
	var err error
	if s.childConfig, s.config, err = os.Pipe(); err != nil {
		return nil, nil, fmt.Errorf("make a pipe to the sandbox: %w", err)
	}
	if s.outcome, s.childOutcome, err = os.Pipe(); err != nil {
		s.close()
		return nil, nil, fmt.Errorf("make a pipe to the sandbox: %w", err)
	}
	if s.inbox, s.childInbox, err = socketPair(); err != nil {
		s.close()
		return nil, nil, fmt.Errorf("make a socket to the sandbox: %w", err)
	}
	cmd := &exec.Cmd{
		// The link always names what runs now, even after an update replaced the file.
		Path: "/proc/self/exe", Args: []string{ShimName}, Dir: "/", Env: []string{},
		ExtraFiles:  []*os.File{file, s.childConfig, s.childOutcome, s.childInbox},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
	if why != nil {
		s.program.SpacesError = why.Error()
	}
	if spaces {
		s.program.Spaces = true
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
		if os.Geteuid() != 0 {
			s.program.OwnUsers = true
			cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		}
	}
	return cmd, s, nil
}

// NoSpaces reports whether a start failed because the system makes no name spaces
// for the hub.
func NoSpaces(err error) bool {
	for _, no := range []error{unix.EPERM, unix.ENOSPC, unix.EINVAL, unix.EUSERS, unix.ENOSYS} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// Outcome sends the shim its orders and waits until it has become the program. It
// returns the walls that stand. Errors: *MissingError, or why the sandbox could
// not be made. If the command was not started, it only frees what Command took.
func (s *Started) Outcome(started bool) ([]Layer, error) {
	defer s.close()
	if !started {
		return nil, nil
	}
	_ = s.childConfig.Close()
	_ = s.childOutcome.Close()
	_ = s.childInbox.Close()
	if err := json.NewEncoder(s.config).Encode(s.program); err != nil {
		return nil, fmt.Errorf("speak to the sandbox: %w", err)
	}
	_ = s.config.Close()
	if err := s.outcome.SetReadDeadline(time.Now().Add(outcomeTimeout)); err != nil {
		return nil, fmt.Errorf("listen to the sandbox: %w", err)
	}
	// It speaks once before it becomes the program, and once more if it cannot.
	var last report
	said := json.NewDecoder(io.LimitReader(s.outcome, 1<<20))
	for heard := false; ; heard = true {
		switch err := said.Decode(&last); {
		case errors.Is(err, io.EOF) && heard:
			s.folder = received(s.inbox)
			return last.outcome()
		case err != nil:
			return nil, fmt.Errorf("the sandbox ended without a word (%w)", err)
		}
	}
}

// Folder is the program's private folder where that is a file system of its own, of
// a bounded size, that no path leads to; nil where it is Program.Dir itself. It is
// known after Outcome, and the caller's to close.
func (s *Started) Folder() *os.File { return s.folder }

func socketPair() (ours, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(pair[0]), "inbox"), os.NewFile(uintptr(pair[1]), "inbox"), nil
}

// received is the folder that the shim sent, nil if it sent none.
func received(inbox *os.File) *os.File {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(int(inbox.Fd()), make([]byte, 1), rights, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return nil
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil
	}
	return os.NewFile(uintptr(fds[0]), "folder")
}

func (s *Started) close() {
	for _, f := range []*os.File{s.config, s.outcome, s.childConfig, s.childOutcome, s.inbox, s.childInbox} {
		if f != nil {
			_ = f.Close() // some are closed already
		}
	}
}
