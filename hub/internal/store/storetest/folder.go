package storetest

import (
	"os"
	"syscall"
	"testing"
)

const (
	// memory is where Linux keeps files in memory alone.
	memory = "/dev/shm"
	// room is how much has to be free there: containers often have little.
	room = 1 << 30
)

// Folder makes a folder that goes with the test, in memory where there is room: each commit
// of a store waits for the disk, which takes far longer than anything that tests look at.
// What has to survive a crash is shown by hub/test/chaos, on a disk.
func Folder(tb testing.TB) string {
	tb.Helper()
	var free syscall.Statfs_t
	if err := syscall.Statfs(memory, &free); err != nil || uint64(free.Bsize)*free.Bavail < room {
		return tb.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "evergrant-test-") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("remove the folder of a test: %v", err)
		}
	})
	return dir
}
