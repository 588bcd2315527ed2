package pluginhost

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/evergrant/evergrant/hub/internal/sandbox"
)

const (
	// defaultDisk bounds the files of a plugin, in bytes.
	defaultDisk = 64 << 20
	// maxNames bounds how many files they are.
	maxNames = 4096
	// watchEvery is the time between two looks at what a plugin takes.
	watchEvery = 250 * time.Millisecond
)

// limits are what a plugin may take. The sandbox bounds all of it where the system
// lets it; the hub looks all the same, and ends a plugin that has more.
type limits struct {
	memory, disk int64
	// dir is its private folder.
	dir string
	// alone is set if it cannot make other processes.
	alone bool
}

// limits are those of the runner's plugin, once its process was started.
func (r *processRunner) limits() limits {
	l := limits{memory: int64(r.program.memory(r.source)), disk: int64(r.confine.disk), dir: r.dir}
	for _, layer := range r.layers {
		l.alone = l.alone || layer.Name == sandbox.LayerSeccomp && layer.On
	}
	return l
}

// watch looks at a process until it is gone, and kills it when it takes too much.
func (l limits) watch(p *process) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.exited:
			return
		case <-ticker.C:
		}
		if excess := l.excess(p.pid); excess != "" {
			p.killFor(excess)
			return
		}
	}
}

// excess is what is too much, for people; "" if nothing is.
func (l limits) excess(pid int) string {
	pids := []int{pid}
	if !l.alone {
		pids = append(pids, descendants(pid)...)
	}
	var memory, disk int64
	for _, one := range pids {
		memory += ownMemoryOf(one)
		disk += deletedOf(one)
	}
	// After the files without a name: one that loses its name between the two looks is
	// missed until the next look, and not counted twice.
	named, names := diskOf(l.dir)
	disk += named
	switch {
	case memory > l.memory:
		killDescendants(pid, pids[1:])
		return fmt.Sprintf("it used %d MiB of memory, allowed %d MiB, and was killed; a package can ask for more (memory_mib)", memory>>20, l.memory>>20)
	case disk > l.disk:
		killDescendants(pid, pids[1:])
		return fmt.Sprintf("it used %d MiB of disk, allowed %d MiB, and was killed; plugins.disk_mib allows more", disk>>20, l.disk>>20)
	case names > maxNames:
		killDescendants(pid, pids[1:])
		return fmt.Sprintf("it made more than %d files, and was killed", maxNames)
	}
	return ""
}

// killFor kills a process that took too much.
func (p *process) killFor(excess string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		p.excess = excess
		p.killGroup()
	}
}

// diskOf is what the files in a folder take, in bytes, and how many names there
// are. It stops at the most that is allowed.
func diskOf(dir string) (size int64, names int) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if names++; names > maxNames {
			return fs.SkipAll
		}
		if err != nil { // it was removed meanwhile
			return nil //nolint:nilerr // see above
		}
		if info, err := entry.Info(); err == nil {
			size += blocksOf(info)
		}
		return nil
	})
	return size, names
}

func blocksOf(info os.FileInfo) int64 {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return info.Size()
	}
	return stat.Blocks * 512
}
