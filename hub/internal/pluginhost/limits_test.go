package pluginhost

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// What a plugin may take is bounded where it takes it, in the whole sandbox.
func TestAConfinedPluginCannotHoard(t *testing.T) {
	h, _ := confined(t, Options{CallTimeout: 20 * time.Second, Disk: 32 << 20})
	works(t, h, "hostile")
	pid := statusOf(t, h, "hostile").PID
	for command, want := range map[string]string{
		"disk": "after (24|32) MiB: .*no space", "deleted": "after (24|32) MiB: .*no space", "names": "after 40[0-9]+: .*no space",
		"shared": "after 0 MiB: operation not permitted",
		"zero":   "open /dev/zero", "memfd": "operation not permitted", "segment": "operation not permitted",
		"execveat": "operation not permitted",
	} {
		t.Run(command, func(t *testing.T) {
			if got := told(t, h, command); !regexp.MustCompile("^denied: (" + want + ")").MatchString(got) {
				t.Errorf("%s: %s", command, got)
			}
		})
	}
	if now := statusOf(t, h, "hostile").PID; now != pid {
		t.Errorf("the process is another: %d, was %d; %s", now, pid, statusOf(t, h, "hostile").LastError)
	}
	works(t, h, "hostile")
}

// Where the system has none of the walls, the hub looks and ends what takes too much.
func TestAPluginThatHoardsIsEndedAndTheReasonSaysHowMuch(t *testing.T) {
	longPlay(t)
	for command, reason := range map[string]string{
		"disk": `it used \d+ MiB of disk, allowed 32 MiB, and was killed`, "deleted": `it used \d+ MiB of disk, allowed 32 MiB`,
		"names":  "it made more than 4096 files",
		"shared": `it used \d+ MiB of memory, allowed 256 MiB, and was killed; a package can ask for more`,
		"zero":   `it used \d+ MiB of memory, allowed 256 MiB`, "private": `it used \d+ MiB of memory, allowed 256 MiB`,
	} {
		t.Run(command, func(t *testing.T) {
			h, log := unconfined(t, sandbox.Off)
			works(t, h, "hostile")
			if got := told(t, h, command); !strings.HasPrefix(got, "died: ") {
				t.Fatalf("%s: %s", command, got)
			}
			said := regexp.MustCompile(reason)
			waittest.Until(t, "the reason says how much", func() bool { return said.MatchString(statusOf(t, h, "hostile").LastError) })
			waittest.Until(t, "the log says it too", func() bool { return said.MatchString(log.String()) })
		})
	}
}

// Without name spaces the folder is the system's, so the hub looks; the rest holds.
func TestWithoutNameSpacesAHoardOfFilesIsEnded(t *testing.T) {
	h, _ := unconfined(t, sandbox.BestEffort)
	h.confine.refused(context.Canceled) // as if the system made none
	works(t, h, "hostile")
	for _, l := range statusOf(t, h, "hostile").Layers {
		if (l.Name == sandbox.LayerLandlock || l.Name == sandbox.LayerSeccomp) && !l.On {
			t.Skipf("this kernel has no landlock or no seccomp: %v", l)
		}
	}
	for _, command := range []string{"shared", "memfd", "segment", "forks", "child"} {
		if got := told(t, h, command); !strings.HasPrefix(got, "denied: ") {
			t.Errorf("%s: %s", command, got)
		}
	}
	if got := told(t, h, "disk"); !strings.HasPrefix(got, "died: ") {
		t.Errorf("disk: %s", got)
	}
	waittest.Until(t, "the reason says it", func() bool {
		return strings.Contains(statusOf(t, h, "hostile").LastError, "MiB of disk, allowed 32 MiB")
	})
}

// A plugin outside of its sandbox can make processes, and hoard in those.
func TestMemoryOfAPluginsChildrenCounts(t *testing.T) {
	l := limits{memory: 1, dir: t.TempDir()}
	if got := l.excess(os.Getpid()); !strings.Contains(got, "MiB of memory") {
		t.Errorf("of itself: %q", got)
	}
	child := exec.CommandContext(t.Context(), "sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(descendants(os.Getpid()), child.Process.Pid) {
		t.Skip("this kernel does not tell a process's children")
	}
	killDescendants(os.Getpid(), []int{child.Process.Pid})
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the child ended by itself: %v", err)
	}
}

func unconfined(t *testing.T, mode sandbox.Mode) (*Host, *logBuffer) {
	t.Helper()
	dir := t.TempDir()
	hostileIn(t, dir, "hostile")
	h, log := newHost(t, Options{Dir: dir, Sandbox: mode, CallTimeout: 20 * time.Second, Disk: 32 << 20})
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h, log
}
