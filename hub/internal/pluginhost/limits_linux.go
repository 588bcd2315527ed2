package pluginhost

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mostDescendants bounds how many processes of a plugin are looked at.
const mostDescendants = 1024

// counted are the lines of /proc/PID/status that a plugin's memory is made of: not
// the pages of files, which the kernel can drop.
var counted = map[string]bool{"RssAnon": true, "RssShmem": true, "VmSwap": true}

// ownMemoryOf is the memory of a process, in bytes: private and shared, in memory and
// swapped out. 0 if it cannot be read.
func ownMemoryOf(pid int) (sum int64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if !counted[name] {
			continue
		}
		if kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err == nil {
			sum += kib << 10
		}
	}
	return sum
}

// deletedOf is the size of deleted files that a process holds open, in bytes; 0 if it
// cannot be read.
func deletedOf(pid int) (sum int64) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // the pattern is ours
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink == 0 {
			sum += blocksOf(info)
		}
	}
	return sum
}

// descendants are the processes that a process and its children have made and that
// have not been left by their parent.
func descendants(pid int) (all []int) {
	for next := []int{pid}; len(next) > 0 && len(all) < mostDescendants; {
		children := childrenOf(next[0])
		all, next = append(all, children...), append(next[1:], children...)
	}
	return all
}

func childrenOf(pid int) (children []int) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is ours
	for _, path := range threads {
		list, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for word := range strings.FieldsSeq(string(list)) {
			if child, err := strconv.Atoi(word); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}

// killDescendants kills processes that were seen as descendants of another. Each is
// taken hold of and looked for again, so that no stranger with its number is hit.
func killDescendants(of int, pids []int) {
	for _, pid := range pids {
		held, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		if slices.Contains(descendants(of), pid) {
			_ = unix.PidfdSendSignal(held, unix.SIGKILL, nil, 0)
		}
		_ = unix.Close(held)
	}
}
