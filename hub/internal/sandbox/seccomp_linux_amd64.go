package sandbox

import "golang.org/x/sys/unix"

// forbiddenHere are older forms of clone, which other processors never had.
var forbiddenHere = []uint32{unix.SYS_FORK, unix.SYS_VFORK}
