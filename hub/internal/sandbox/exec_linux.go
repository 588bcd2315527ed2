package sandbox

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// call is the one execveat that the filter of seccomp lets through: it recognizes it by
// where the arguments are. They are at random addresses, each of its own, that are
// gone once the program runs; so the program can execute nothing more.
type call struct {
	target          int
	path, argv, env uintptr
	words           [][]*byte // what argv and env point to
}

// callOf prepares the call that makes this process the program.
func (s *shim) callOf(target int) (*call, error) {
	args := []string{s.program.Name}
	if s.program.Interpreter != "" {
		args = []string{s.program.Interpreter, s.scriptPath()}
	}
	argv, err := pointers(args)
	if err != nil {
		return nil, err
	}
	env, err := pointers(s.program.Env)
	if err != nil {
		return nil, err
	}
	c := &call{target: target, words: [][]*byte{argv, env}}
	for _, part := range []struct {
		at      *uintptr
		content []*byte
	}{{&c.path, []*byte{nil}}, {&c.argv, argv}, {&c.env, env}} { // a path of no bytes: the descriptor alone counts
		if *part.at, err = hide(part.content); err != nil {
			return nil, fmt.Errorf("prepare its start: %w", err)
		}
	}
	return c, nil
}

// hide copies pointers to a random address, which it returns. The kernel takes the
// wish for an address if it can, and a random one of its own if not.
func hide(content []*byte) (uintptr, error) {
	var wish [8]byte
	if _, err := rand.Read(wish[:]); err != nil {
		return 0, err
	}
	// Where neither Go's heap nor the kernel is.
	address := uintptr(binary.LittleEndian.Uint64(wish[:]))&0x5fff_ffff_f000 | 0x1000_0000_0000
	size := uintptr(len(content)) * unsafe.Sizeof(content[0])
	at, err := unix.MmapPtr(-1, 0, unsafe.Add(unsafe.Pointer(nil), address), size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return 0, err
	}
	copy(unsafe.Slice((**byte)(at), len(content)), content)
	return uintptr(at), nil
}

// exec becomes the program. The pipe of what it says closes with that; if it fails,
// there is a second word.
func (s *shim) exec(c *call) error {
	s.say()
	if err := s.limitMemory(); err != nil {
		return err
	}
	for try := 1; ; try++ {
		_, _, errno := unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(c.target), c.path, c.argv, c.env, unix.AT_EMPTY_PATH, 0)
		// A process that forks at the wrong moment inherits the descriptor of a file that was just written.
		switch {
		case errno == unix.EACCES && s.program.UID != 0:
			return fmt.Errorf("execute it as a user of its own, which may not: run chmod 755 %s, and mount its file system without noexec", s.program.Name)
		case errno != unix.ETXTBSY || try == 5:
			return fmt.Errorf("execute it: %w", errno)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func pointers(words []string) ([]*byte, error) {
	list := make([]*byte, 0, len(words)+1)
	for _, w := range words {
		p, err := unix.BytePtrFromString(w)
		if err != nil {
			return nil, fmt.Errorf("pass %q on: %w", w, err)
		}
		list = append(list, p)
	}
	return append(list, nil), nil
}
