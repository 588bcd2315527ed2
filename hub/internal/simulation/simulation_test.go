//go:build simulation

package simulation

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

var (
	firstSeed   = flag.Uint64("seed", 1, "the first seed")
	worlds      = flag.Int("worlds", 4, "how many seeds are run")
	lasts       = flag.Duration("for", 4*time.Hour, "how long a world lasts, in its own time")
	connections = flag.Int("connections", 200, "grants of a world")
	tokenLife   = flag.Duration("life", 5*time.Minute, "life of an access token")
)

// Renewals stand still between two steps, now and then for longer than anything may take
// that another replica waits for.
func TestMain(m *testing.M) {
	flag.Parse()
	crashpoint.Hook = func(step string) {
		now := fmt.Sprint(time.Now().UnixNano())
		fate := Fate{*firstSeed}
		if step == crashpoint.ReplyReceived {
			waittest.Let(fate.between(0, 50*time.Millisecond, step, now)) // in memory only
			return
		}
		if fate.happens(0.03, "stands still", step, now) {
			waittest.Let(fate.between(0, 12*time.Second, step, now))
		}
	}
	os.Exit(m.Run())
}

// memory returns a folder in memory, where there is one: the disk is not what is tried.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "evergrant-simulation-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestNoGrantIsLostThatTheProtocolAllowsToKeep(t *testing.T) {
	for n := range *worlds {
		seed := *firstSeed + uint64(n)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			dir := memory(t)
			box, err := seal.Create(filepath.Join(dir, "key"))
			if err != nil {
				t.Fatal(err)
			}
			report := run(t, Options{Seed: seed, Dir: dir, Box: box, For: *lasts, Connections: *connections, Life: *tokenLife})
			perMinute := float64(report.Tally.Renewals) / time.Since(begun).Minutes()
			t.Logf("%s; %.0f renewals a minute", report, perMinute)
			if len(report.Lost) > 0 {
				t.Errorf("again with -seed=%d -worlds=1: %d grants were lost\n%s", seed, len(report.Lost), strings.Join(report.Lost[:min(3, len(report.Lost))], "\n"))
			}
			for _, stale := range report.Pulls.Stale {
				t.Errorf("a stale token was served: %s", stale)
			}
		})
	}
}

// run runs a world in a bubble of its own.
func run(t *testing.T, o Options) *Report {
	t.Helper()
	var report *Report
	var err error
	synctest.Test(t, func(t *testing.T) { report, err = Run(t.Context(), o) })
	if err != nil {
		t.Fatalf("seed %d: %v", o.Seed, err)
	}
	return report
}

// A simulation that finds nothing must be able to find something: hubs with a defect lose
// grants in it.
func TestAHubWithADefectLosesGrants(t *testing.T) {
	for name, o := range map[string]Options{
		"it gives answers up after 20 seconds":                     {For: 20 * time.Minute, Budget: 20 * time.Second},
		"it does not compare what it knows with a restored backup": {For: time.Hour, Defect: forgets},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Dir = memory(t)
			box, err := seal.Create(filepath.Join(o.Dir, "key"))
			if err != nil {
				t.Fatal(err)
			}
			o.Seed, o.Box, o.Connections, o.Life = *firstSeed, box, 60, 2*time.Minute
			report := run(t, o)
			t.Log(report)
			if len(report.Lost) == 0 {
				t.Error("no grant was lost")
			}
		})
	}
}
