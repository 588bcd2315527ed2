package pluginhost

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime is when a file's bytes, mode or names last changed; it cannot be set by
// programs.
func changeTime(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return info.ModTime()
}
