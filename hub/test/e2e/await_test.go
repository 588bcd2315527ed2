package e2e_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// cluster is a PostgreSQL that a test starts when it likes.
type cluster struct {
	bin, home, address string
	port               int
	account            *syscall.Credential
}

// makeCluster makes one that does not run yet.
func makeCluster(t *testing.T) *cluster {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(bins) == 0 {
		t.Skip("PostgreSQL is not installed")
	}
	home, err := os.MkdirTemp("", "evergrant-cluster-") //nolint:usetesting // its user has to get there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	c := &cluster{bin: filepath.Dir(bins[len(bins)-1]), home: home, port: freePort(t)}
	c.address = fmt.Sprintf("postgres://evergrant:wrong@127.0.0.1:%d/postgres", c.port)
	if os.Getuid() == 0 { // initdb and postgres refuse to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("there is no account postgres")
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		c.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(home, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	c.run(t, "initdb", "--pgdata="+c.data(), "--username=evergrant", "--auth=trust", "--no-sync")
	t.Cleanup(func() { _ = c.command("pg_ctl", "stop", "--pgdata="+c.data(), "--mode=immediate", "--silent").Run() })
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (c *cluster) data() string { return filepath.Join(c.home, "data") }

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = c.home, &syscall.SysProcAttr{Credential: c.account}
	return cmd
}

func (c *cluster) run(t *testing.T, name string, args ...string) {
	t.Helper()
	if err := c.command(name, args...).Run(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func (c *cluster) start(t *testing.T) {
	t.Helper()
	c.run(t, "pg_ctl", "start", "--pgdata="+c.data(), "--log="+filepath.Join(c.home, "log"), "--wait", "--silent",
		fmt.Sprintf("--options=-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories='' -c fsync=off", c.port))
}

// starting is a hub whose Run is under way.
type starting struct {
	log   *hubtest.LogBuffer
	base  string
	stop  context.CancelFunc
	ready chan struct{}
	ended chan error
}

func runHub(t *testing.T, flags map[string]any) *starting {
	t.Helper()
	dir := t.TempDir()
	if err := hub.CreateKey(filepath.Join(dir, "made.key")); err != nil {
		t.Fatal(err)
	}
	listen := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	all := map[string]any{"listen": listen, "data_dir": dir, "plugins.dir": hubtest.PluginsDir, "key.file": filepath.Join(dir, "made.key")}
	maps.Copy(all, flags)
	cfg, err := hub.LoadConfig("", nil, all)
	if err != nil {
		t.Fatal(err)
	}
	s := &starting{log: &hubtest.LogBuffer{}, base: "http://" + listen, ready: make(chan struct{}), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	go func() {
		s.ended <- hub.Run(ctx, cfg, hub.Options{Version: "test", Logger: hclog.New(&hclog.LoggerOptions{Output: s.log})}, func(*hub.Hub) { close(s.ready) })
	}()
	t.Cleanup(cancel)
	return s
}

// ask returns 0 while nothing answers.
func (s *starting) ask(t *testing.T, path string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, "", nil
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), resp.Header
}

func (s *starting) waits(t *testing.T) {
	t.Helper()
	hubtest.Eventually(t, "the hub answers while it waits", func() bool { status, _, _ := s.ask(t, "/healthz"); return status == http.StatusOK })
	if status, body, _ := s.ask(t, "/readyz"); status != http.StatusServiceUnavailable || !strings.HasPrefix(body, "database:") {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if status, body, header := s.ask(t, "/api/v1/connections"); status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(body, "waits for its database") {
		t.Errorf("the API: %d %q", status, body)
	}
	if !hubtest.Contains(s.log, "database unavailable") {
		t.Error("the log does not say so")
	}
}

func (s *starting) end(t *testing.T) error {
	t.Helper()
	return waittest.For(t, "the hub ends", s.ended)
}

func TestAHubWaitsForAPostgreSQLThatStartsAfterIt(t *testing.T) {
	t.Parallel()
	db := makeCluster(t)
	s := runHub(t, map[string]any{"database.url": db.address})
	s.waits(t)
	db.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case <-s.ready:
	case err := <-s.ended:
		t.Fatalf("the hub ended: %v\n%s", err, s.log)
	case <-ctx.Done():
		t.Fatalf("the hub does not start\n%s", s.log)
	}
	if status, body, _ := s.ask(t, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if status, _, _ := s.ask(t, "/login"); status != http.StatusOK {
		t.Errorf("a page: %d", status)
	}
	s.stop()
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	// What is wrong with the address is no reason to wait.
	for _, url := range []string{db.address + "-nothing", "postgres://[broken"} {
		if err := runHub(t, map[string]any{"database.url": url}).end(t); err == nil {
			t.Errorf("a hub with a wrong address ended without an error")
		}
	}
}

func TestAHubThatWaitsIsStoppedCleanly(t *testing.T) {
	t.Parallel()
	s := runHub(t, map[string]any{"database.url": fmt.Sprintf("postgres://evergrant@127.0.0.1:%d/evergrant", freePort(t))})
	s.waits(t)
	s.stop()
	if err := s.end(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if status, _, _ := s.ask(t, "/healthz"); status != 0 {
		t.Error("something still answers")
	}
}

func TestAStartThatCannotSucceedSaysWhy(t *testing.T) {
	t.Parallel()
	t.Run("certificate", func(t *testing.T) {
		err := runHub(t, map[string]any{"tls.cert_file": "/nowhere/cert.pem", "tls.key_file": "/nowhere/key.pem"}).end(t)
		if err == nil || !strings.Contains(err.Error(), "certificate") || !strings.Contains(err.Error(), "/nowhere/cert.pem") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("data folder", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		err := runHub(t, map[string]any{"data_dir": filepath.Join(file, "data")}).end(t)
		if err == nil || !strings.Contains(err.Error(), "EVERGRANT_DATA_DIR") {
			t.Errorf("got %v", err)
		}
	})
}
