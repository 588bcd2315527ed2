package pluginhost

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func TestAPluginIsFoundDescribedAndStartedWhenCalled(t *testing.T) {
	h, _ := scanned(t, Options{}, "good", "other")
	names := []string{}
	for _, d := range h.Descriptions() {
		names = append(names, d.Name)
	}
	if !slices.Equal(names, []string{"good", "other"}) {
		t.Fatalf("providers: %v", names)
	}
	if p := statusOf(t, h, "good"); p.State != StateIdle || p.PID != 0 {
		t.Fatalf("after the scan the plugin is %s with process %d", p.State, p.PID)
	}
	works(t, h, "good")
	p := statusOf(t, h, "good")
	if p.State != StateReady || !alive(p.PID) || p.StartedAt.IsZero() || p.InFlight != 0 || len(p.Sum) != 64 {
		t.Fatalf("after a call: %+v", p)
	}
	if d, sum, ok := h.Description("good"); !ok || sum != p.Sum || d.Title.EN != "Test good" {
		t.Fatalf("description: %v %v %v", d.Title, sum, ok)
	}
	if other := statusOf(t, h, "other"); other.PID != 0 {
		t.Fatal("a plugin was started that nobody called")
	}
	h.Stop(t.Context())
	if alive(p.PID) {
		t.Fatal("the process outlived the host")
	}
}

func TestAFolderMayBeGivenRelativeToTheHubsOwn(t *testing.T) {
	dir := pluginDir(t, "good")
	t.Chdir(filepath.Dir(dir))
	h, _ := newHost(t, Options{Dir: filepath.Base(dir)})
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	works(t, h, "good")
}

func TestCallersOfAStartingPluginShareOneStart(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	pids := make(chan int, 20)
	var callers sync.WaitGroup
	for range cap(pids) {
		callers.Go(func() {
			_, err := refreshed(t.Context(), h, "good", "", func(ctx context.Context) (*providerplugin.HTTPResponse, error) {
				pids <- statusOf(t, h, "good").PID
				return answer(ctx)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	first := <-pids
	for range cap(pids) - 1 {
		if pid := <-pids; pid != first {
			t.Fatalf("calls ran on processes %d and %d", first, pid)
		}
	}
}

func TestAnUnknownProviderIsTold(t *testing.T) {
	h, _ := scanned(t, Options{})
	if err := refreshWith(t.Context(), h, "nobody", "", answer); !errors.Is(err, ErrUnknownProvider) {
		t.Fatalf("got %v", err)
	}
}

func TestKnownPluginsAreNotStartedToBeDescribed(t *testing.T) {
	cache := &remembering{}
	dir := pluginDir(t, "good")
	first, _ := newHost(t, Options{Dir: dir, Cache: cache})
	if err := first.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, log := newHost(t, Options{Dir: dir, Cache: cache})
	if err := os.Chmod(filepath.Join(dir, "evergrant-provider-good"), 0o111); err != nil {
		t.Fatal(err)
	}
	if err := second.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := second.Description("good"); !ok || strings.Contains(log.String(), "pid=") {
		t.Fatalf("described: %t, log: %s", ok, log)
	}
	works(t, second, "good")
}

func TestOfTwoPluginsWithOneProviderTheFirstServes(t *testing.T) {
	h, _ := scanned(t, Options{}, "twin-a", "twin-b")
	if p := statusOf(t, h, "twin-b"); p.State != StateFailed || !strings.Contains(p.LastError, "twin-a") {
		t.Fatalf("the second is %s: %s", p.State, p.LastError)
	}
	works(t, h, "twin")
	if statusOf(t, h, "twin-a").PID == 0 {
		t.Fatal("the first did not serve")
	}
	if err := os.Remove(statusOf(t, h, "twin-a").Path); err != nil {
		t.Fatal(err)
	}
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	works(t, h, "twin")
	if p := statusOf(t, h, "twin-b"); p.State != StateReady {
		t.Fatalf("after the first is gone, the second is %s: %s", p.State, p.LastError)
	}
}

func TestABrokenPluginDoesNotFailTheScan(t *testing.T) {
	dir := pluginDir(t, "good")
	for name, mode := range map[string]os.FileMode{
		"evergrant-provider-text": 0o644, "evergrant-provider-noise": 0o755, "evergrant-provider-good.sha256": 0o644, "README": 0o755,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("no program\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	h, _ := newHost(t, Options{Dir: dir})
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(h.Plugins()); n != 3 {
		t.Fatalf("%d plugins were found, want good, noise and text", n)
	}
	for name, word := range map[string]string{"text": "chmod +x", "noise": "cannot be executed"} {
		if p := statusOf(t, h, name); p.State != StateFailed || !strings.Contains(p.LastError, word) {
			t.Errorf("%s is %s: %s", name, p.State, p.LastError)
		}
	}
	works(t, h, "good")
	if err := os.Chmod(statusOf(t, h, "good").Path, 0o644); err != nil {
		t.Fatal(err)
	}
	h.supervisorOf("good").replaceWith(nil)
	err := refreshWith(t.Context(), h, "good", "", answer)
	if unavailable, ok := errors.AsType[*UnavailableError](err); !ok || unavailable.RetryAfter != 0 {
		t.Fatalf("a plugin that cannot be executed: %v", err)
	}
	if err := os.Chmod(statusOf(t, h, "good").Path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	works(t, h, "good")
}

func TestAChangedFileReplacesTheRunningProcess(t *testing.T) {
	for name, find := range map[string]func(*testing.T, *Host){
		"by a scan": func(t *testing.T, h *Host) {
			t.Helper()
			if err := h.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"by its next start": func(_ *testing.T, h *Host) { h.supervisorOf("good").replaceWith(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := scanned(t, Options{}, "good")
			works(t, h, "good")
			before := statusOf(t, h, "good")
			change(t, before.Path)
			find(t, h)
			works(t, h, "good")
			after := statusOf(t, h, "good")
			if after.Sum == before.Sum || after.PID == before.PID || after.Restarts != 0 {
				t.Fatalf("before %+v, after %+v", before, after)
			}
			if _, sum, _ := h.Description("good"); sum != after.Sum {
				t.Fatal("the description is still the old file's")
			}
			waittest.Until(t, "the old process is gone", func() bool { return !alive(before.PID) })
		})
	}
}

func TestCallsInFlightFinishOnTheReplacedProcess(t *testing.T) {
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
	old := statusOf(t, h, "good").PID
	h.supervisorOf("good").replaceWith(nil)
	works(t, h, "good")
	close(goOn)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the old process ends after its last call", func() bool { return !alive(old) })
}

func TestAnIdlePluginIsStoppedAndComesBack(t *testing.T) {
	h, _ := scanned(t, Options{IdleAfter: 100 * time.Millisecond}, "good")
	works(t, h, "good")
	waittest.Until(t, "idle plugin stopped", func() bool { return statusOf(t, h, "good").State == StateIdle })
	works(t, h, "good")
	if p := statusOf(t, h, "good"); p.Restarts != 0 || p.LastError != "" {
		t.Fatalf("a stop was taken for a failure: %+v", p)
	}
}

func TestTooManyCallsWaitForTheirTurn(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	goOn := make(chan struct{})
	var running sync.WaitGroup
	for range maxInFlight {
		running.Go(func() {
			err := h.Run(t.Context(), "good", func(context.Context, *providerplugin.Client) error { <-goOn; return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	waittest.Until(t, "all slots are taken", func() bool { return statusOf(t, h, "good").InFlight == maxInFlight })
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := refreshWith(short, h, "good", "", answer); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call beside them: %v", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- refreshWith(t.Context(), h, "good", "", answer) }()
	close(goOn)
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	running.Wait()
}

func TestAPluginGetsNothingOfTheHub(t *testing.T) {
	t.Setenv("EVERGRANT_KEY", "of the hub alone")
	h, _ := scanned(t, Options{}, "good")
	token, err := refreshed(t.Context(), h, "good", "environment", answer)
	if err != nil {
		t.Fatal(err)
	}
	want := "EVERGRANT_PLUGIN PLUGIN_CLIENT_CERT PLUGIN_MAX_PORT PLUGIN_MIN_PORT PLUGIN_PROTOCOL_VERSIONS PLUGIN_UNIX_SOCKET_DIR TMPDIR"
	if token.Text("names") != want {
		t.Errorf("environment: %s", token.Text("names"))
	}
	if dir := token.Text("dir"); dir != token.Text("tmpdir") || filepath.Dir(dir) != h.runtimeDir.path {
		t.Errorf("working directory: %s", dir)
	}
	if token.Text("stdin") != os.DevNull || token.Text("core") != "0" || token.Text("leads_session") != "true" {
		t.Errorf("stdin %s, core limit %s, own session %s", token.Text("stdin"), token.Text("core"), token.Text("leads_session"))
	}
}

func TestAProvidersErrorIsPassedOnAsItIs(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	refused := &providerplugin.RelayError{Refused: true, Message: "not this host"}
	err := refreshWith(t.Context(), h, "good", "", func(context.Context) (*providerplugin.HTTPResponse, error) { return nil, refused })
	if _, ok := errors.AsType[*provider.Error](err); !ok {
		t.Fatalf("got %v", err)
	}
	works(t, h, "good")
}

// A plugin that could not be asked at the first scan is asked again: nobody calls a
// provider that is not known.
func TestAPluginThatCouldNotBeAskedIsAskedAgain(t *testing.T) {
	dir := t.TempDir()
	path := hostileIn(t, dir, "hostile")
	busy, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	h, _ := newHost(t, Options{Dir: dir})
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := h.Description("hostile"); ok || !h.Unexamined() {
		t.Fatal("a busy file was started")
	}
	if err := busy.Close(); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "it is known", func() bool {
		if h.Unexamined() {
			_ = h.Scan(t.Context())
		}
		_, _, ok := h.Description("hostile")
		return ok
	})
	if h.Unexamined() {
		t.Error("it is asked for ever")
	}
}
