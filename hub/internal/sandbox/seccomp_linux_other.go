//go:build linux && !amd64

package sandbox

// forbiddenHere are calls of this processor alone.
var forbiddenHere []uint32
