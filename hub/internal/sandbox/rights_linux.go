package sandbox

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// secureBits have the kernel treat root as any other user, for good
// (capabilities(7)): NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, each locked.
const secureBits = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<6 | 1<<7

// dropRights changes to the program's own user and gives up every capability and
// every way to get one.
func (s *shim) dropRights() {
	dropBounding()
	changed := s.changeUser()
	dropped := dropCapabilities()
	// A change of user forgets the wish to die with the hub.
	err := errors.Join(changed, dropped, unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0),
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	switch {
	case err != nil:
		s.off(LayerUser, err.Error())
	case s.program.OwnUsers:
		s.on(LayerUser, "a name space of users, no capability")
	case s.program.UID == 0:
		s.off(LayerUser, fmt.Sprintf("the hub may not change users, it runs as user %d like the hub", os.Getuid()))
	default:
		s.on(LayerUser, fmt.Sprintf("user %d, no capability", s.program.UID))
	}
}

func dropBounding() {
	for c := range uintptr(64) {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0) // not there, or not ours: dropped below
	}
	_ = unix.Prctl(unix.PR_SET_SECUREBITS, secureBits, 0, 0, 0)
	_ = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
}

// changeUser is this thread's alone: the exec makes it the process's.
func (s *shim) changeUser() error {
	if s.program.UID == 0 || s.program.OwnUsers {
		return nil
	}
	id := uintptr(s.program.UID)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
		return fmt.Errorf("leave the hub's groups: %w", errno)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, id, id, id); errno != 0 {
		return fmt.Errorf("change to group %d: %w", id, errno)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, id, id, id); errno != 0 {
		return fmt.Errorf("change to user %d: %w", id, errno)
	}
	return nil
}

func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	none := [2]unix.CapUserData{}
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("give up capabilities: %w", err)
	}
	return nil
}
