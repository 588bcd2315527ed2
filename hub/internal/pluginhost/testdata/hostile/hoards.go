package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mostTaken bounds what is taken of the machine should no limit hold, in bytes, and
// hold how long it is kept then.
const (
	mostTaken = 600 << 20
	hold      = 3 * time.Second
)

// hoards are ways to take much without reaching for what is another's. Each lets go
// of it at its end.
var hoards = map[string]func(string) (string, error){
	// 8 MiB files, each below the limit of a file.
	"disk": func(string) (string, error) {
		return hoard(func(n int) (func(), error) {
			path := "hoard-" + strconv.Itoa(n)
			return func() { _ = os.Remove(path) }, os.WriteFile(path, filled(), 0o600)
		})
	},
	// The same, with names that are gone at once.
	"deleted": func(string) (string, error) {
		return hoard(func(n int) (func(), error) {
			f, err := os.Create("hoard-" + strconv.Itoa(n))
			if err != nil {
				return nil, err
			}
			_, err = f.Write(filled())
			return func() { _ = f.Close() }, errors.Join(err, os.Remove(f.Name()))
		})
	},
	"names": func(string) (string, error) {
		for n := range 10_000 {
			name := "name-" + strconv.Itoa(n)
			defer os.Remove(name)
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				return "", fmt.Errorf("after %d: %w", n, err)
			}
		}
		time.Sleep(hold)
		return "made 10000", nil
	},
	"shared":  func(string) (string, error) { return mapped(unix.MAP_SHARED|unix.MAP_ANONYMOUS, -1) },
	"private": func(string) (string, error) { return mapped(unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, -1) },
	"zero": func(string) (string, error) {
		f, err := os.OpenFile("/dev/zero", os.O_RDWR, 0)
		if err != nil {
			return "", err
		}
		defer f.Close()
		return mapped(unix.MAP_SHARED, int(f.Fd()))
	},
	"memfd": func(string) (string, error) {
		fd, err := unix.MemfdCreate("hoard", 0)
		if err != nil {
			return "", err
		}
		return "made", unix.Close(fd)
	},
	"segment": func(string) (string, error) {
		id, err := unix.SysvShmGet(0x4556, 1<<20, unix.IPC_CREAT|0o600)
		if err != nil {
			return "", err
		}
		_, err = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
		return "made", err
	},
	// What the sandbox itself starts a plugin by. There is no such descriptor, but that
	// is seen only by whom the call is allowed.
	"execveat": func(string) (string, error) {
		empty, none := []byte{0}, []*byte{nil}
		_, _, errno := syscall.RawSyscall6(unix.SYS_EXECVEAT, ^uintptr(0), uintptr(unsafe.Pointer(&empty[0])),
			uintptr(unsafe.Pointer(&none[0])), uintptr(unsafe.Pointer(&none[0])), unix.AT_EMPTY_PATH, 0)
		return "", errno
	},
}

func filled() []byte {
	b := make([]byte, 8<<20)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// hoard takes 8 MiB again and again, as far as it is let, and lets go of all.
func hoard(take func(n int) (release func(), err error)) (string, error) {
	for n := range mostTaken / (8 << 20) {
		release, err := take(n)
		if release != nil {
			defer release()
		}
		if err != nil {
			return "", fmt.Errorf("after %d MiB: %w", 8*n, err)
		}
	}
	time.Sleep(hold)
	return fmt.Sprintf("took %d MiB", mostTaken>>20), nil
}

func mapped(flags, fd int) (string, error) {
	return hoard(func(int) (func(), error) {
		b, err := unix.Mmap(fd, 0, 8<<20, unix.PROT_READ|unix.PROT_WRITE, flags)
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		return func() { _ = unix.Munmap(b) }, nil
	})
}
