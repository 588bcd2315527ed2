package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// processStat is what is read of a process.
type processStat struct {
	state  byte // as in ps: T is stopped, Z is dead
	parent int
}

func statOf(pid int) (processStat, bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, found := bytes.Cut(data, []byte(") "))
	fields := bytes.Fields(rest)
	if err != nil || !found || len(fields) < 2 {
		return processStat{}, false
	}
	parent, err := strconv.Atoi(string(fields[1]))
	return processStat{state: fields[0][0], parent: parent}, err == nil
}

// plugins are the processes of the hub's plugins.
func (h *hubProcess) plugins() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if s, ok := statOf(pid); !ok || s.state == 'Z' || s.parent != h.cmd.Process.Pid {
			continue
		}
		if path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && strings.HasPrefix(filepath.Base(path), "evergrant-provider-") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// all are the hub and its plugins, which have sessions of their own.
func (h *hubProcess) all() []int { return append([]int{h.cmd.Process.Pid}, h.plugins()...) }

// signalAll sends a signal to processes; one that has gone needs none.
func signalAll(pids []int, sig syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, sig)
	}
}

// stopped reports whether the hub was stopped by SIGSTOP.
func (h *hubProcess) stopped() bool {
	s, ok := statOf(h.cmd.Process.Pid)
	return ok && s.state == 'T'
}
