package pluginhost

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func TestACertificateThatIsNotServedIsRefused(t *testing.T) {
	h, _ := scanned(t, Options{ConnectTimeout: time.Second}, "other-certificate")
	p := statusOf(t, h, "other-certificate")
	if p.State != StateFailed || len(p.Providers) != 0 {
		t.Fatalf("%s: %s", p.State, p.LastError)
	}
}

// A plugin that says SERVING while its operations hang is found out by them.
func TestAPluginWhoseOperationsHangIsProbedAndReplaced(t *testing.T) {
	// The command may reach the next process as well, which then is replaced in its turn.
	h, _ := scanned(t, Options{CallTimeout: time.Second}, "freezes")
	works(t, h, "freezes")
	first := statusOf(t, h, "freezes").PID
	h.supervisorOf("freezes").current.watchdog.limit = 200 * time.Millisecond
	waittest.Until(t, "it is replaced and works", func() bool {
		command := "freeze"
		if statusOf(t, h, "freezes").PID != first {
			command = ""
		}
		return refreshWith(t.Context(), h, "freezes", command, answer) == nil
	})
}

func TestRepliesThatAreAllFieldsOrAllDepthAreBounded(t *testing.T) {
	longPlay(t)
	h, _ := scanned(t, Options{}, "unbounded")
	works(t, h, "unbounded")
	before := memoryOf(os.Getpid())
	for _, command := range []string{"many fields", "deep"} {
		if err := refreshWith(t.Context(), h, "unbounded", command, answer); err == nil {
			t.Errorf("%s: taken", command)
		}
	}
	if grown := memoryOf(os.Getpid()) - before; grown > 256<<20 {
		t.Errorf("the hub grew by %d MiB", grown>>20)
	}
	works(t, h, "unbounded")
}

func TestAShutdownThatHangsIsBounded(t *testing.T) {
	h, _ := scanned(t, Options{StopGrace: 200 * time.Millisecond}, "shutdown-hangs")
	works(t, h, "shutdown-hangs")
	pid := statusOf(t, h, "shutdown-hangs").PID
	h.Stop(t.Context())
	if alive(pid) {
		t.Error("the process is still there")
	}
}

// Whoever calls while a plugin is being replaced waits and is served.
func TestACrashFailsNobodyWhoCanWait(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	works(t, h, "good")
	if err := syscall.Kill(statusOf(t, h, "good").PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the death is seen", func() bool { return statusOf(t, h, "good").PID == 0 })
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			if err := refreshWith(t.Context(), h, "good", "", answer); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if p := statusOf(t, h, "good"); p.Restarts != 1 {
		t.Errorf("%d restarts", p.Restarts)
	}
}

// upgrades is how often the test below replaces the plugin.
const upgrades = 50

func TestNoCallFailsWhileAPluginIsReplacedAgainAndAgain(t *testing.T) {
	longPlay(t)
	dir := t.TempDir()
	var sources []Source
	for n := range 2 {
		path := hostileIn(t, dir, "good")
		moved := filepath.Join(dir, fmt.Sprint(n), "evergrant-provider-good")
		if err := errors.Join(os.Mkdir(filepath.Dir(moved), 0o755), os.Rename(path, moved), appendTo(moved, fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, Source{Name: "good", Path: moved, Package: &Package{
			Sum: fmt.Sprint(n), Hosts: map[string][]string{"good": {"auth.example.com"}},
		}})
	}
	var current atomic.Int32
	h, _ := newHost(t, Options{
		Dir: t.TempDir(), Sandbox: sandbox.BestEffort,
		Installed: func() Installed { return Installed{Sources: []Source{sources[current.Load()%2]}} },
	})
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	works(t, h, "good")
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var calls, failed atomic.Int64
	for range 64 {
		callers.Go(func() {
			for ctx.Err() == nil {
				calls.Add(1)
				if err := refreshWith(t.Context(), h, "good", "", answer); err != nil {
					failed.Add(1)
					t.Error(err)
				}
			}
		})
	}
	pids := map[int]bool{}
	for n := range upgrades {
		current.Store(int32(n + 1))
		if err := h.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		p := statusOf(t, h, "good")
		if p.Package != sources[(n+1)%2].Package.Sum {
			t.Fatalf("after upgrade %d the package %s runs: %s", n, p.Package, p.LastError)
		}
		pids[p.PID] = true
	}
	cancel()
	callers.Wait()
	t.Logf("%d upgrades under 64 callers: %d calls, %d failed, %d processes", upgrades, calls.Load(), failed.Load(), len(pids))
	delete(pids, statusOf(t, h, "good").PID)
	waittest.Until(t, "the replaced processes are gone", func() bool {
		for pid := range pids {
			if alive(pid) {
				return false
			}
		}
		return true
	})
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func TestAStopOfManyPluginsIsNotHeldUpByOne(t *testing.T) {
	longPlay(t)
	dir := pluginDir(t, "stubborn")
	names := []string{"stubborn"}
	for n := range 19 {
		names = append(names, fmt.Sprintf("p%d", n))
		link(t, dir, "evergrant-provider-"+names[n+1])
	}
	h, _ := newHost(t, Options{Dir: dir, StopGrace: 500 * time.Millisecond})
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, name := range names {
		works(t, h, name)
		pids = append(pids, statusOf(t, h, name).PID)
	}
	if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	h.Stop(ctx)
	if ctx.Err() != nil {
		t.Error("the stop took all the time there was")
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d outlived the host", pid)
		}
	}
}

func TestAFolderForSocketsThatCannotBeIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Dir: t.TempDir(), RuntimeDir: filepath.Join(file, "x")}); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("inside a file: %v", err)
	}
	t.Run("full", func(t *testing.T) {
		dir := shortDir(t)
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4k,nr_inodes=3"); err != nil {
			t.Skipf("a full file system needs the right to mount one: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
		plugins := pluginDir(t, "good")
		h, _ := newHost(t, Options{Dir: plugins, RuntimeDir: filepath.Join(dir, "r")})
		if err := h.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p := statusOf(t, h, "good"); p.State != StateFailed || !strings.Contains(p.LastError, "no space") {
			t.Errorf("%s: %s", p.State, p.LastError)
		}
	})
}

// The socket of a plugin answers nobody but the hub that started it.
func TestASocketRefusesWhoIsNotTheHub(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	works(t, h, "good")
	sockets, err := filepath.Glob(filepath.Join(h.runtimeDir.path, "plugin-dir*", "plugin*"))
	if err != nil || len(sockets) != 1 {
		t.Fatal(sockets, err)
	}
	for name, transport := range map[string]credentials.TransportCredentials{
		"plain": insecure.NewCredentials(), "TLS without a certificate": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}),
	} {
		conn, err := grpc.NewClient("unix://"+sockets[0], grpc.WithTransportCredentials(transport))
		if err != nil {
			t.Fatal(err)
		}
		_, err = grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
		if status.Code(err) != codes.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
		_ = conn.Close()
	}
}

// A file that is still open for writing somewhere can be started a moment later.
func TestAFileThatIsBusyIsTriedAgain(t *testing.T) {
	dir := t.TempDir()
	path := hostileIn(t, dir, "hostile")
	busy, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []sandbox.Mode{sandbox.Off, sandbox.BestEffort} {
		h, _ := newHost(t, Options{Dir: dir, Sandbox: mode, Cache: &remembering{name: "hostile"}})
		if err := h.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		var unavailable *UnavailableError
		if err := refreshWith(t.Context(), h, "hostile", "", answer); !errors.As(err, &unavailable) || unavailable.RetryAfter == 0 {
			t.Fatalf("%s: a file that is open for writing: %v", mode, err)
		}
		h.Stop(t.Context())
	}
	if err := busy.Close(); err != nil {
		t.Fatal(err)
	}
	h, _ := newHost(t, Options{Dir: dir, Sandbox: sandbox.BestEffort})
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	works(t, h, "hostile")
}

func TestPluginsInOtherLanguagesRunConfined(t *testing.T) {
	for language, interpreter := range map[string]string{"node": "node", "python": "python3"} {
		t.Run(language, func(t *testing.T) {
			folder, err := filepath.Abs("../../../plugins/examples/" + language)
			if err != nil {
				t.Fatal(err)
			}
			name := "acme-" + language
			source := Source{Name: name, Path: filepath.Join(folder, "evergrant-provider-"+name), Package: &Package{
				Sum: "1", Dir: folder, Entry: "evergrant-provider-" + name, Interpreter: interpreter, Files: filesOf(t, folder),
				Hosts: map[string][]string{name: {"acme.example"}},
			}}
			h, _ := newHost(t, Options{Dir: t.TempDir(), Sandbox: sandbox.BestEffort, Installed: func() Installed { return Installed{Sources: []Source{source}} }})
			if err := h.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
			p := statusOf(t, h, name)
			if len(p.Providers) == 0 {
				if os.Getenv("CI") == "" && missing(p.LastError) {
					t.Skipf("the packages of %s are missing; make test installs them: %s", language, p.LastError)
				}
				t.Fatalf("%s: %s", p.State, p.LastError)
			}
			err = h.Run(t.Context(), p.Providers[0], func(ctx context.Context, c *providerplugin.Client) error {
				req := &provider.RefreshRequest{Call: provider.Call{Service: provider.Service{Name: "s", ClientID: "id", ClientSecret: "secret"}, Now: time.Now()}}
				req.Current = provider.Token{AccessToken: "old", RefreshToken: "refresh"}
				token, err := c.Refresh(ctx, relayFunc(granted), p.Providers[0], req)
				if err == nil && token.AccessToken != "new" {
					t.Errorf("renewed to %v", token)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if missing := sandbox.Missing(statusOf(t, h, name).Layers); len(missing) > 0 {
				t.Logf("layers that this kernel has not: %v", missing)
			}
		})
	}
}

// granted is the service's answer to a renewal.
func granted(context.Context) (*providerplugin.HTTPResponse, error) {
	return &providerplugin.HTTPResponse{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: []byte(`{"access_token":"new","token_type":"Bearer","expires_in":3600,"refresh_token":"next"}`),
	}, nil
}

// missing tells a language's packages that are not installed.
func missing(reason string) bool {
	for _, sign := range []string{"ModuleNotFoundError", "ERR_MODULE_NOT_FOUND", "this machine does not have"} {
		if strings.Contains(reason, sign) {
			return true
		}
	}
	return false
}

// filesOf lists a folder as a package's manifest does.
func filesOf(t *testing.T, folder string) (files []sandbox.File) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		sum := sha256.Sum256(data)
		files = append(files, sandbox.File{Path: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
