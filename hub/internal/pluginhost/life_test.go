package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func TestPluginsDieWithTheHub(t *testing.T) {
	plugins, sockets := pluginDir(t, "good"), shortDir(t)
	hub := &exec.Cmd{Path: link(t, t.TempDir(), hubBinary), Args: []string{hubBinary, plugins, sockets}, Stderr: os.Stderr}
	out, err := hub.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if err := json.NewDecoder(out).Decode(&pid); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Dir: plugins, RuntimeDir: sockets}); err == nil || !strings.Contains(err.Error(), "another hub") {
		t.Errorf("a second hub in the same folder: %v", err)
	}
	if !alive(pid) {
		t.Fatal("there is no plugin to begin with")
	}
	if err := hub.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = hub.Wait()
	waittest.Until(t, "plugin removed", func() bool { return !alive(pid) })
	if entries(t, sockets) < 2 {
		t.Fatal("there is no stale folder to begin with")
	}
	newHost(t, Options{Dir: plugins, RuntimeDir: sockets})
	if n := entries(t, sockets); n != 1 {
		t.Errorf("%d entries are left after the sweep", n)
	}
}

func TestAFolderOfADeadHubIsRemoved(t *testing.T) {
	plugins := t.TempDir()
	t.Setenv("TMPDIR", shortDir(t))
	dead := filepath.Join(os.TempDir(), runtimePrefix+"1")
	if err := os.Mkdir(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead, lockFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	living, err := New(Options{Dir: plugins})
	if err != nil {
		t.Fatal(err)
	}
	second, err := New(Options{Dir: plugins})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Error("the dead hub's folder is still there")
	}
	if _, err := os.Stat(living.runtimeDir.path); err != nil {
		t.Error("the living hub's folder was taken away")
	}
	living.Stop(t.Context())
	second.Stop(t.Context())
	if n := entries(t, os.TempDir()); n != 0 {
		t.Errorf("%d folders are left after the stop", n)
	}
}

// Hubs that start at the same moment look for folders of dead ones while others have
// made theirs and do not hold its lock yet.
func TestHubsThatStartTogetherKeepTheirFolders(t *testing.T) {
	t.Setenv("TMPDIR", shortDir(t))
	var work sync.WaitGroup
	for range 16 {
		work.Go(func() {
			for range 200 {
				d, err := openRuntimeDir("")
				if err != nil {
					t.Error(err)
					return
				}
				path, err := d.use()
				if _, gone := os.Stat(path); err != nil || gone != nil {
					t.Errorf("the folder is not there: %v, %v", err, gone)
				}
				d.release()
			}
		})
	}
	work.Wait()
}

// A cleaner of temporary files takes what nobody has touched for days.
func TestAPluginStartsAfterItsHostsFolderWasRemoved(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	if err := os.RemoveAll(h.runtimeDir.path); err != nil {
		t.Fatal(err)
	}
	works(t, h, "good")

	t.Setenv("TMPDIR", shortDir(t))
	made, err := openRuntimeDir("")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(made.path); err != nil {
		t.Fatal(err)
	}
	if dir, err := made.use(); err != nil || entries(t, dir) != 1 {
		t.Errorf("the folder that was made is gone: %v", err)
	}
	made.release()
	if n := entries(t, os.TempDir()); n != 0 {
		t.Errorf("%d folders are left", n)
	}
}

func TestAPathTooLongForASocketIsTold(t *testing.T) {
	_, err := New(Options{Dir: t.TempDir(), RuntimeDir: filepath.Join(t.TempDir(), strings.Repeat("d", 90))})
	if err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Fatalf("got %v", err)
	}
}

func TestAFolderThatIsOpenToOthersIsNotUsed(t *testing.T) {
	open := shortDir(t)
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Dir: t.TempDir(), RuntimeDir: open}); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Fatalf("got %v", err)
	}
}

// cycles is how often a plugin is started and stopped: a few times, or as often as
// the environment wants.
func cycles(t *testing.T) int {
	t.Helper()
	wanted := os.Getenv("EVERGRANT_TEST_CYCLES")
	if wanted == "" {
		return 20
	}
	n, err := strconv.Atoi(wanted)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestManyStartsAndStopsLeaveNothing(t *testing.T) {
	longPlay(t)
	h, _ := scanned(t, Options{}, "good")
	s := h.supervisorOf("good")
	cycle := func(n int) {
		works(t, h, "good")
		pid := statusOf(t, h, "good").PID
		if n%2 == 0 {
			s.replaceWith(nil)
		} else {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			waittest.Until(t, "the death is seen", func() bool { return statusOf(t, h, "good").State != StateReady })
			s.mu.Lock()
			s.restarts = restarts{} // this test is not about restarts
			s.mu.Unlock()
		}
		waittest.Until(t, "the process is gone and its folder too", func() bool { return !alive(pid) && entries(t, h.runtimeDir.path) == 1 })
	}
	cycle(0)
	before := goleak.IgnoreCurrent()
	files := entries(t, "/proc/self/fd")
	for n := range cycles(t) {
		cycle(n)
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	waittest.Until(t, "no file stays open", func() bool { return entries(t, "/proc/self/fd") <= files })
}

func TestAStoppedHostTakesNoCalls(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	h.Stop(t.Context())
	err := refreshWith(t.Context(), h, "good", "", answer)
	if _, ok := errors.AsType[*UnavailableError](err); !ok {
		t.Fatalf("got %v", err)
	}
	if h.Scan(t.Context()) == nil {
		t.Error("a stopped host scans")
	}
	h.Stop(t.Context()) // does no harm
}

func TestAStopLetsCallsFinishButNotForEver(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	under, goOn, result := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		result <- refreshWith(t.Context(), h, "good", "", func(ctx context.Context) (*providerplugin.HTTPResponse, error) {
			close(under)
			<-goOn
			return answer(ctx)
		})
	}()
	<-under
	pid := statusOf(t, h, "good").PID
	stopped := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		h.Stop(ctx)
		close(stopped)
	}()
	waittest.Until(t, "the stop has begun", func() bool { return statusOf(t, h, "good").State == StateStopping })
	if !alive(pid) {
		t.Error("the process was killed under a call")
	}
	cancel() // the hub's own time is up
	<-stopped
	close(goOn)
	if failure, ok := errors.AsType[*providerplugin.PluginError](<-result); !ok || !failure.Gone {
		t.Error("the call did not learn that the plugin is gone")
	}
	if alive(pid) {
		t.Error("the process outlived the host")
	}
}
