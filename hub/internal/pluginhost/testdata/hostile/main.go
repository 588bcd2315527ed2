// Command hostile is a provider plugin that does in Refresh what the current
// access token tells it to: reach for what is not its own. It answers with what
// came of it. Linux only.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func main() {
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "evergrant-provider-")
	if strings.HasPrefix(name, "crash") {
		fmt.Fprintln(os.Stderr, "panic: it does not work here")
		os.Exit(3)
	}
	providerplugin.Serve(hostile{name})
}

type hostile struct{ name string }

func (h hostile) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: h.name, Title: provider.Text{EN: "Hostile"}, PKCE: provider.PKCENone,
		AutoRenew: provider.AutoRenewRefreshToken, Hosts: []provider.Host{{Pattern: "auth.example.com"}},
	}, nil
}

// Refresh obeys commands of the form "verb argument".
func (h hostile) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	verb, argument, _ := strings.Cut(req.Current.AccessToken, " ")
	act, known := verbs[verb]
	if !known {
		return carried(ctx, req)
	}
	got, err := act(argument)
	if err != nil {
		got = "denied: " + err.Error()
	}
	return &provider.Token{AccessToken: "x", Extra: map[string]any{"got": got}}, nil
}

func carried(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://auth.example.com/token", strings.NewReader("refresh"))
	if err != nil {
		return nil, err
	}
	reply, err := req.HTTP.Do(ask)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	return &provider.Token{AccessToken: string(body)}, err
}

var verbs = map[string]func(string) (string, error){
	"read": func(path string) (string, error) {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		head := make([]byte, 16)
		n, err := f.Read(head)
		return fmt.Sprintf("read %d bytes", n), err
	},
	"list": func(path string) (string, error) {
		entries, err := os.ReadDir(path)
		names := []string{}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return strings.Join(names, " "), err
	},
	"write": func(path string) (string, error) { return "written", os.WriteFile(path, []byte("x"), 0o600) },
	"dial": func(argument string) (string, error) {
		network, address, _ := strings.Cut(argument, " ")
		c, err := net.DialTimeout(network, address, time.Second)
		if err != nil {
			return "", err
		}
		if network == "udp" { // has connected to nobody yet
			if _, err := c.Write([]byte("x")); err != nil {
				return "", err
			}
		}
		return "connected", c.Close()
	},
	"mptcp": func(argument string) (string, error) {
		const ipprotoMPTCP = 262
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, ipprotoMPTCP)
		if err != nil {
			return "", err
		}
		port, _ := strconv.Atoi(argument)
		return "connected", syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	},
	"signal": func(pid string) (string, error) {
		n, err := strconv.Atoi(pid)
		if err != nil {
			return "", err
		}
		return "signalled", syscall.Kill(n, 0)
	},
	"ptrace": func(pid string) (string, error) {
		n, err := strconv.Atoi(pid)
		if err != nil {
			return "", err
		}
		return "traced", syscall.PtraceAttach(n)
	},
	"exec": func(path string) (string, error) {
		p, err := os.StartProcess(path, []string{path, "-c", "true"}, &os.ProcAttr{})
		if err != nil {
			return "", err
		}
		_, err = p.Wait()
		return "executed", err
	},
	"mount": func(string) (string, error) { return "mounted", syscall.Mount("tmpfs", "/", "tmpfs", 0, "") },
	"namespace": func(string) (string, error) {
		_, _, errno := syscall.RawSyscall(syscall.SYS_UNSHARE, syscall.CLONE_NEWUSER, 0, 0)
		if errno != 0 {
			return "", errno
		}
		return "unshared", nil
	},
	"become-root": func(string) (string, error) {
		_, _, errno := syscall.RawSyscall(syscall.SYS_SETUID, 0, 0, 0)
		if errno != 0 || syscall.Geteuid() != 0 {
			return "", errors.Join(errno, errors.New("still user "+strconv.Itoa(syscall.Geteuid())))
		}
		return "root", os.WriteFile("/etc/x", nil, 0o600)
	},
	"panic": func(string) (string, error) { panic("it cannot") },
	"files": func(string) (string, error) {
		kept := []*os.File{}
		for len(kept) < 10_000 {
			f, err := os.Open("/dev/null")
			if err != nil {
				for _, f := range kept {
					f.Close()
				}
				return "", fmt.Errorf("after %d: %w", len(kept), err)
			}
			kept = append(kept, f)
		}
		return "opened 10000", nil
	},
	"threads": func(string) (string, error) {
		for range 10_000 {
			go func() {
				runtime.LockOSThread()
				var p [2]int
				if syscall.Pipe(p[:]) == nil {
					_, _ = syscall.Read(p[0], make([]byte, 1))
				}
				_ = syscall.Pause()
			}()
		}
		time.Sleep(3 * time.Second)
		return "started 10000", nil
	},
	"forks": func(string) (string, error) {
		var children [10_000]uintptr
		for n := range children {
			pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
			if errno != 0 {
				for _, child := range children[:n] { // the answer may need a thread
					syscall.RawSyscall(syscall.SYS_KILL, child, uintptr(syscall.SIGKILL), 0)
					syscall.RawSyscall6(syscall.SYS_WAIT4, child, 0, 0, 0, 0, 0)
				}
				return "", fmt.Errorf("after %d: %w", n, errno)
			}
			children[n] = pid
			if pid == 0 {
				for {
					syscall.RawSyscall(syscall.SYS_PAUSE, 0, 0, 0)
				}
			}
		}
		return "forked 10000", nil
	},
	"memory": func(string) (string, error) {
		kept := [][]byte{}
		for {
			b := make([]byte, 8<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			kept = append(kept, b)
			if len(kept) > 1000 {
				return "took 8 GB", nil
			}
		}
	},
	"exit": func(string) (string, error) {
		os.Exit(4)
		return "", nil
	},
	"child": func(string) (string, error) {
		// A child that left the session and holds every pipe; it lives on.
		pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		if errno != 0 {
			return "", errno
		}
		if pid == 0 {
			syscall.RawSyscall(syscall.SYS_SETSID, 0, 0, 0)
			for {
				syscall.RawSyscall(syscall.SYS_PAUSE, 0, 0, 0)
			}
		}
		os.Exit(4)
		return "", nil
	},
	"who": func(string) (string, error) {
		return fmt.Sprintf("uid %d pid %d dir %s", os.Getuid(), os.Getpid(), must(os.Getwd())), nil
	},
}

func init() {
	for verb, act := range hoards {
		verbs[verb] = act
	}
}

func must(s string, err error) string {
	if err != nil {
		return err.Error()
	}
	return s
}
