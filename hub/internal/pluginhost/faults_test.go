package pluginhost

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Whatever a plugin does at its start, the scan ends, the reason is told, no
// process is left, and others work.
func TestAPluginThatDoesNotStartIsShownAsFailed(t *testing.T) {
	longPlay(t)
	// Who says nothing is waited for; all others get the time that a busy machine needs.
	says := Options{StartTimeout: time.Minute, ConnectTimeout: 10 * time.Second}
	saysNothing := Options{StartTimeout: 2 * time.Second, ConnectTimeout: time.Second}
	for mode, want := range map[string]string{
		"banner":         `not the handshake of a plugin; print nothing else on standard output: "Welcome to the \x1b[31mplugin`,
		"endless-banner": "first line is longer than 4096 bytes",
		"silent":         "did not introduce itself in time",
		"dies":           "ended before the handshake (exit status 3); it wrote: panic: no luck today",
		"deaf":           "not healthy in time",
		"mute":           "not healthy in time",
		"tcp":            "only a unix socket is allowed",
		"not-serving":    "the health check says \"NOT_SERVING\"",
		"no-health":      "no answer to the health check",
	} {
		t.Run(mode, func(t *testing.T) {
			opts := says
			if strings.HasSuffix(want, "in time") {
				opts = saysNothing
			}
			h, _ := scanned(t, opts, mode)
			p := statusOf(t, h, mode)
			if p.State != StateFailed || !strings.Contains(p.LastError, want) {
				t.Fatalf("state %s: %s", p.State, p.LastError)
			}
			if n := entries(t, h.runtimeDir.path); n != 1 { // the lock
				t.Fatalf("%d entries are left in the runtime folder", n)
			}
		})
	}
}

func TestADefectIsNotTriedAgain(t *testing.T) {
	h, log := scanned(t, Options{Cache: &remembering{name: "banner"}}, "banner")
	for range 3 {
		err := refreshWith(t.Context(), h, "banner", "", answer)
		unavailable, ok := errors.AsType[*UnavailableError](err)
		if !ok || unavailable.RetryAfter != 0 || !strings.Contains(unavailable.Reason, "Welcome") {
			t.Fatalf("got %v", err)
		}
	}
	if n := strings.Count(log.String(), "plugin failed to start"); n != 1 {
		t.Fatalf("it was started %d times", n)
	}
}

func TestAPluginThatKeepsDyingIsStartedLessOften(t *testing.T) {
	h, _ := scanned(t, Options{Cache: &remembering{name: "dies"}}, "dies")
	var last *UnavailableError
	for range 2 { // the second start is at once, the third is not
		var ok bool
		if last, ok = errors.AsType[*UnavailableError](refreshWith(t.Context(), h, "dies", "", answer)); !ok {
			t.Fatal("a call went through")
		}
	}
	if p := statusOf(t, h, "dies"); p.State != StateBackoff || last.RetryAfter < firstBackoff/2 {
		t.Fatalf("state %s, retry after %s", p.State, last.RetryAfter)
	}
}

func TestAStopDuringAStartDoesNotWaitForIt(t *testing.T) {
	h, _ := scanned(t, Options{StartTimeout: time.Hour, Cache: &remembering{name: "silent"}}, "silent")
	result := make(chan error, 1)
	go func() { result <- refreshWith(t.Context(), h, "silent", "", answer) }()
	waittest.Until(t, "it is starting", func() bool { return statusOf(t, h, "silent").State == StateStarting })
	h.Stop(t.Context())
	if _, ok := errors.AsType[*UnavailableError](<-result); !ok {
		t.Fatal("the caller was not told")
	}
}

func TestAProcessKilledDuringAnOperationIsReplaced(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	var first int
	err := refreshWith(t.Context(), h, "good", "", func(ctx context.Context) (*providerplugin.HTTPResponse, error) {
		first = statusOf(t, h, "good").PID
		if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
		waittest.Until(t, "the process is gone", func() bool { return !alive(first) })
		return answer(ctx)
	})
	if failure, ok := errors.AsType[*providerplugin.PluginError](err); !ok || !failure.Gone {
		t.Fatalf("got %v", err)
	}
	works(t, h, "good") // at once, without a wait
	if p := statusOf(t, h, "good"); p.PID == first || p.Restarts != 1 || !strings.Contains(p.LastError, "killed") {
		t.Fatalf("after the restart: %+v", p)
	}
}

func TestAPanicInAnOperationLeavesThePluginRunning(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	works(t, h, "good")
	before := statusOf(t, h, "good").PID
	if err := refreshWith(t.Context(), h, "good", "panic", answer); provider.KindOf(err) != provider.Internal || err == nil {
		t.Fatalf("got %v", err)
	}
	works(t, h, "good")
	if after := statusOf(t, h, "good").PID; after != before {
		t.Fatalf("the process changed from %d to %d", before, after)
	}
}

func TestAReplyThatIsTooBigFailsAlone(t *testing.T) {
	h, _ := scanned(t, Options{}, "unbounded")
	err := refreshWith(t.Context(), h, "unbounded", "big", answer)
	if err == nil || !strings.Contains(err.Error(), codes.ResourceExhausted.String()) {
		t.Fatalf("got %v", err)
	}
	before := statusOf(t, h, "unbounded").PID
	works(t, h, "unbounded")
	if after := statusOf(t, h, "unbounded").PID; after != before {
		t.Fatalf("the process changed from %d to %d", before, after)
	}
}

func TestAnOperationEndsWithItsContext(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	works(t, h, "good")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := refreshWith(ctx, h, "good", "hang", answer); provider.KindOf(err) != provider.Transient {
		t.Fatalf("got %v", err)
	}
	works(t, h, "good")
}

func TestASilentOperationEndsButAWaitForTheServiceDoesNot(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	works(t, h, "good")
	h.supervisorOf("good").current.watchdog.limit = 300 * time.Millisecond
	var probes atomic.Int32
	h.supervisorOf("good").current.watchdog.lost = func() { probes.Add(1) }
	for range maxSilences {
		if err := refreshWith(t.Context(), h, "good", "hang", answer); provider.KindOf(err) != provider.Transient {
			t.Fatalf("got %v", err)
		}
	}
	waittest.Until(t, "the plugin is probed", func() bool { return probes.Load() == 1 })
	err := refreshWith(t.Context(), h, "good", "", func(ctx context.Context) (*providerplugin.HTTPResponse, error) {
		waittest.Slow(400 * time.Millisecond)
		return answer(ctx)
	})
	if err != nil {
		t.Fatalf("a slow service was taken for a silent plugin: %v", err)
	}
}

func TestOddLinesAreLoggedAsText(t *testing.T) {
	h, log := scanned(t, Options{}, "good")
	if err := refreshWith(t.Context(), h, "good", "odd lines", answer); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the last line is logged", func() bool { return strings.Contains(log.String(), "text=understood") })
	works(t, h, "good")
	for _, want := range []string{`[WARN]`, `answer`, `invalid \xff\xfe bytes`, `NUL \x00 here`, `\x1b[2Jcleared`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if strings.ContainsAny(log.String(), "\x00\x1b") || !utf8.ValidString(log.String()) {
		t.Error("raw bytes of the plugin are in the log")
	}
	if n := len(statusOf(t, h, "good").Log); n == 0 {
		t.Error("nothing is kept for the administrator")
	}
}

func TestWhatAPluginPrintsIsLoggedWithoutTokens(t *testing.T) {
	h, log := scanned(t, Options{}, "good")
	if err := refreshWith(t.Context(), h, "good", "chatter", answer); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "both streams are logged", func() bool {
		return strings.Contains(log.String(), "printed on standard output") && strings.Contains(log.String(), "Bearer")
	})
	for _, secret := range []string{"abc", "12345", "eyJ", "c2ln"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log: %s", secret, log)
		}
	}
}

func TestAFloodOfLinesDisturbsNobody(t *testing.T) {
	h, log := scanned(t, Options{}, "good")
	if err := refreshWith(t.Context(), h, "good", "flood", answer); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the burst is used up", func() bool { return strings.Count(log.String(), "flood") >= lineBurst })
	before := processorTime(t)
	begun := time.Now()
	for range 20 {
		works(t, h, "good")
	}
	waittest.Past(t, begun.Add(time.Second)) // long enough to measure
	share := (processorTime(t) - before).Seconds() / time.Since(begun).Seconds()
	t.Logf("the hub spent %.2f of a processor on the flood and on 20 calls", share)
	if share > 0.8 { // unbounded, it is more than one
		t.Errorf("the flood costs the hub %.2f processors", share)
	}
	h.Stop(t.Context())
	if !strings.Contains(log.String(), "lines dropped") {
		t.Error("nobody is told that lines dropped")
	}
	if n := len(statusOf(t, h, "good").Log); n != keptLines {
		t.Errorf("%d lines are kept", n)
	}
}

// processorTime is what this process has spent so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestALineWithoutEndIsCut(t *testing.T) {
	longPlay(t)
	h, log := scanned(t, Options{CallTimeout: 30 * time.Second}, "good")
	if err := refreshWith(t.Context(), h, "good", "endless line", answer); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the line is logged", func() bool { return strings.Contains(log.String(), "(cut)") })
	if size := len(log.String()); size > 10*maxLine {
		t.Errorf("the log has %d bytes", size)
	}
}

func TestAFrozenPluginIsKilledAndReplaced(t *testing.T) {
	h, _ := scanned(t, Options{HealthEvery: 100 * time.Millisecond, HealthTimeout: 500 * time.Millisecond, CallTimeout: time.Hour}, "good")
	works(t, h, "good")
	frozen := statusOf(t, h, "good").PID
	err := refreshWith(t.Context(), h, "good", "stop", answer)
	if failure, ok := errors.AsType[*providerplugin.PluginError](err); !ok || !failure.Gone {
		t.Fatalf("the operation on it: %v", err)
	}
	if alive(frozen) {
		t.Fatal("the frozen process is still there")
	}
	works(t, h, "good")
	if p := statusOf(t, h, "good"); !strings.Contains(p.LastError, "health checks") || p.Restarts != 1 {
		t.Fatalf("%+v", p)
	}
}

func TestAStopOfAStubbornPluginIsBounded(t *testing.T) {
	for name, freeze := range map[string]bool{"ignores every request": false, "is frozen": true} {
		t.Run(name, func(t *testing.T) {
			h, _ := scanned(t, Options{StopGrace: 200 * time.Millisecond}, "stubborn")
			works(t, h, "stubborn")
			pid := statusOf(t, h, "stubborn").PID
			if freeze {
				if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
			}
			h.Stop(t.Context())
			if alive(pid) || entries(t, h.runtimeDir.path) != 1 {
				t.Fatal("the process or its folder is still there")
			}
		})
	}
}

func TestAnExitIsSeenWhileAGrandchildHoldsThePipes(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	err := refreshWith(t.Context(), h, "good", "fork and exit", answer)
	if failure, ok := errors.AsType[*providerplugin.PluginError](err); !ok || !failure.Gone {
		t.Fatalf("got %v", err)
	}
	works(t, h, "good")
	if p := statusOf(t, h, "good"); !strings.Contains(p.LastError, "exit status 4") {
		t.Fatalf("%+v", p)
	}
}

func TestThePluginCannotOpenConnections(t *testing.T) {
	h, _ := scanned(t, Options{}, "good")
	works(t, h, "good")
	conn := h.supervisorOf("good").current.conn
	_, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, brokerMethod)
	if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "no broker") {
		t.Fatalf("the broker's stream: %v", err)
	}
}
