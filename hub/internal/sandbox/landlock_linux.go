package sandbox

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	readRights  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	writeRights = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK
	allRights1 = readRights | writeRights | unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM
)

// handled is what a kernel's landlock can forbid, by its version (landlock(7)).
func handled(abi int) unix.LandlockRulesetAttr {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: allRights1}
	if abi >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= 5 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	return attr
}

// landlock forbids every file but its own folder, the program, and what of the
// system it was given; all TCP; signals and abstract sockets to others.
func (s *shim) landlock(target int) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		s.off(LayerLandlock, "the kernel has none: "+errno.Error())
		return
	}
	attr := handled(int(abi))
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		s.off(LayerLandlock, "its rules could not be made: "+errno.Error())
		return
	}
	r := rules{fd: int(ruleset), known: attr.Handled_access_fs}
	r.allowFD(target, unix.LANDLOCK_ACCESS_FS_EXECUTE|unix.LANDLOCK_ACCESS_FS_READ_FILE)
	r.allow(s.program.Dir, readRights|writeRights|unix.LANDLOCK_ACCESS_FS_TRUNCATE)
	for _, device := range devices {
		r.allow(device, unix.LANDLOCK_ACCESS_FS_READ_FILE|unix.LANDLOCK_ACCESS_FS_WRITE_FILE)
	}
	for _, place := range append(s.readable(), s.treePlaces()...) {
		r.allow(place, readRights|unix.LANDLOCK_ACCESS_FS_EXECUTE)
	}
	if r.err != nil {
		s.off(LayerLandlock, r.err.Error())
		return
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		s.off(LayerLandlock, "it could not be entered: "+errno.Error())
		return
	}
	_ = unix.Close(int(ruleset))
	s.on(LayerLandlock, fmt.Sprintf("version %d", abi))
}

func (s *shim) treePlaces() []string {
	if s.program.Tree == "" {
		return nil
	}
	return []string{treeAt, s.program.Tree}
}

// rules is a set of rules; the first error is kept.
type rules struct {
	fd    int
	known uint64
	err   error
}

// allow lets a path be used; one that is not there needs no rule.
func (r *rules) allow(path string, rights uint64) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		if !os.IsNotExist(err) && r.err == nil {
			r.err = fmt.Errorf("open %s: %w", path, err)
		}
		return
	}
	defer func() { _ = unix.Close(fd) }()
	r.allowFD(fd, rights)
}

func (r *rules) allowFD(fd int, rights uint64) {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err == nil && info.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights & r.known, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 && r.err == nil {
		r.err = fmt.Errorf("a rule could not be made: %w", errno)
	}
}
