//go:build unix && !linux

package pluginhost

import (
	"io/fs"
	"time"
)

// changeTime is when a file last changed, as far as this system records it.
func changeTime(info fs.FileInfo) time.Time { return info.ModTime() }
