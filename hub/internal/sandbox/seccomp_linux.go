package sandbox

import (
	"runtime"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forbidden are calls that no provider needs and that have opened kernels before:
// other processes' memory, mounts, modules, tracing, keys, clocks, new name
// spaces, plain execve (the shim uses another call), memory that no limit counts.
var forbidden = []uint32{
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT,
	unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_EXECVE,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_FANOTIFY_INIT,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_REBOOT, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_SYSLOG,
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME,
	unix.SYS_PERSONALITY, unix.SYS_VHANGUP, unix.SYS_LOOKUP_DCOOKIE,
	unix.SYS_MEMFD_CREATE, unix.SYS_MEMFD_SECRET, unix.SYS_SHMGET, unix.SYS_MSGGET, unix.SYS_SEMGET,
}

// Offsets in struct seccomp_data on little-endian machines.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArg0   = 16
	sizeArg      = 8
)

const newSpaces = unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS |
	unix.CLONE_NEWUSER | unix.CLONE_NEWCGROUP

var arches = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// seccomp forbids calls, every kind of socket but those of files, and every
// execution but the one that starts the program.
func (s *shim) seccomp(c *call) {
	arch, known := arches[runtime.GOARCH]
	if !known {
		s.off(LayerSeccomp, "no list of calls for "+runtime.GOARCH)
		return
	}
	filter := filterFor(arch, c)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		s.off(LayerSeccomp, "the kernel refused it: "+errno.Error())
		return
	}
	s.on(LayerSeccomp, "sockets of files only, no tracing, no mounts, no new programs or processes")
}

// filterFor is the program that the kernel runs at each call.
func filterFor(arch uint32, c *call) []unix.SockFilter {
	f := []unix.SockFilter{
		load(offsetArch), jumpIfEqual(arch, 1, 0), ret(unix.SECCOMP_RET_KILL_PROCESS),
		load(offsetNumber),
		jumpIfAtLeast(0x40000000, 0, 1), refuse(unix.ENOSYS), // x32's calls have other numbers
		jumpIfEqual(unix.SYS_CLONE3, 0, 1), refuse(unix.ENOSYS), // its flags cannot be seen; libraries fall back to clone
	}
	for _, call := range append(slices.Clip(forbidden), forbiddenHere...) {
		f = append(f, jumpIfEqual(call, 0, 1), refuse(unix.EPERM))
	}
	f = append(f, block(unix.SYS_CLONE, // threads only: what a process may take it takes once
		load(offsetArg0), jumpIfAny(newSpaces, 0, 1), refuse(unix.EPERM), jumpIfAny(unix.CLONE_THREAD, 1, 0), refuse(unix.EPERM))...)
	f = append(f, block(unix.SYS_SOCKET, load(offsetArg0), jumpIfEqual(unix.AF_UNIX, 1, 0), refuse(unix.EAFNOSUPPORT))...)
	f = append(f, block(unix.SYS_MMAP, // shared and of no file: no limit of a process counts it
		load(offsetArg0+3*sizeArg), jumpIfAny(unix.MAP_ANONYMOUS, 0, 2), jumpIfAny(unix.MAP_SHARED, 0, 1), refuse(unix.EPERM))...)
	f = append(f, block(unix.SYS_EXECVEAT, c.isIt()...)...)
	return append(f, ret(unix.SECCOMP_RET_ALLOW))
}

// isIt refuses every execveat but this one.
func (c *call) isIt() (f []unix.SockFilter) {
	for n, want := range []uintptr{c.path, c.argv, c.env} {
		at := uint32(offsetArg0 + (n+1)*sizeArg)
		f = append(f, load(at), jumpIfEqual(uint32(want), 1, 0), refuse(unix.EPERM),
			load(at+4), jumpIfEqual(uint32(want>>32), 1, 0), refuse(unix.EPERM))
	}
	return f
}

// block is what is asked of one call, which is allowed at its end.
func block(call uint32, steps ...unix.SockFilter) []unix.SockFilter {
	f := append([]unix.SockFilter{jumpIfEqual(call, 0, uint8(len(steps)+1))}, steps...)
	return append(f, ret(unix.SECCOMP_RET_ALLOW))
}

func refuse(errno syscall.Errno) unix.SockFilter {
	return ret(unix.SECCOMP_RET_ERRNO | uint32(errno))
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func ret(value uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
}

func jumpIfEqual(value uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: value}
}

func jumpIfAtLeast(value uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, Jt: yes, Jf: no, K: value}
}

func jumpIfAny(bits uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jt: yes, Jf: no, K: bits}
}
