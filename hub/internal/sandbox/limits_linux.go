package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	maxFiles       = 64
	maxFilesSystem = 256 // interpreters open their libraries one by one
	maxProcesses   = 128 // threads count
	maxFileSize    = 16 << 20
	niceness       = 5
)

// limit bounds what the program can take of the machine, apart from memory: the
// shim itself may need more than the program will, so that limit comes last.
func (s *shim) limit() {
	files := uint64(maxFiles)
	if s.program.System {
		files = maxFilesSystem
	}
	limits := []struct {
		resource int
		most     uint64
	}{
		{unix.RLIMIT_CORE, 0}, {unix.RLIMIT_NOFILE, files}, {unix.RLIMIT_FSIZE, maxFileSize},
		{unix.RLIMIT_MEMLOCK, 0}, {unix.RLIMIT_MSGQUEUE, 0},
	}
	if s.program.UID != 0 || s.program.OwnUsers { // else the hub's own processes would count
		limits = append(limits, struct {
			resource int
			most     uint64
		}{unix.RLIMIT_NPROC, maxProcesses})
	}
	for _, l := range limits {
		if err := unix.Prlimit(0, l.resource, &unix.Rlimit{Cur: l.most, Max: l.most}, nil); err != nil {
			s.off(LayerLimits, fmt.Sprintf("limit %d could not be set: %v", l.resource, err))
			return
		}
	}
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, niceness) // a courtesy to the hub
	kept := "looked after by the hub"
	if s.boundFiles {
		kept = "a file system in memory"
	}
	s.on(LayerLimits, fmt.Sprintf("%d MiB of memory, %d MiB of files (%s), %d open files, %d threads, no core dump",
		s.program.Memory>>20, s.program.Disk>>20, kept, files, maxProcesses))
}

// limitMemory is the last thing before the exec. It must not allocate afterwards.
func (s *shim) limitMemory() error {
	if err := unix.Prlimit(0, unix.RLIMIT_DATA, &unix.Rlimit{Cur: s.program.Memory, Max: s.program.Memory}, nil); err != nil {
		return fmt.Errorf("limit its memory: %w", err)
	}
	return nil
}
