package main

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"os"
	"strings"
	"sync"
)

// roster knows which hub process is at the other end of a connection.
type roster struct {
	mu   sync.Mutex
	hubs map[int]string // name by process
}

// join adds a process, under the name that the log then has.
func (r *roster) join(pid int, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hubs == nil {
		r.hubs = map[int]string{}
	}
	r.hubs[pid] = name
}

func (r *roster) leave(pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.hubs, pid)
}

// nobody is at the other end: it has gone before it could be looked at.
const nobody = "?"

// looks is how often /proc is read for a connection: the list of sockets is none of
// one moment, and may miss some.
const looks = 10

// who names the process that has a local port, or nobody.
func (r *roster) who(remote net.Addr) string {
	tcp, ok := remote.(*net.TCPAddr)
	for n := 0; ok && n < looks; n++ {
		if name := r.look(tcp.Port); name != nobody {
			return name
		}
	}
	return nobody
}

func (r *roster) look(port int) string {
	socket := socketOf(port)
	r.mu.Lock()
	hubs := maps.Clone(r.hubs)
	r.mu.Unlock()
	for pid, name := range hubs {
		if socket != "" && holds(pid, socket) {
			return name
		}
	}
	return nobody
}

// socketOf is the name of the socket that is bound to a port of loopback, as
// /proc/<pid>/fd has it.
func socketOf(port int) string {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return ""
	}
	defer f.Close()
	local := fmt.Sprintf("0100007F:%04X", port)
	const inode = 9
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > inode && fields[1] == local {
			return "socket:[" + fields[inode] + "]"
		}
	}
	return ""
}

func holds(pid int, socket string) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if at, err := os.Readlink(dir + "/" + e.Name()); err == nil && at == socket {
			return true
		}
	}
	return false
}
