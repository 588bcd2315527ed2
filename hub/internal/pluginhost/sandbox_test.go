package pluginhost

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// hostileIn puts the plugin that reaches for what is not its own into a folder under a
// plugin's name.
func hostileIn(t testing.TB, dir, name string) string {
	t.Helper()
	path, err := plugintest.Put(dir, name, "hub/internal/pluginhost/testdata/hostile")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// confined hosts the hostile plugin in the whole sandbox. A kernel that has not
// all of it cannot show that it holds.
func confined(t *testing.T, opts Options) (*Host, *logBuffer) {
	t.Helper()
	opts.Dir = t.TempDir()
	hostileIn(t, opts.Dir, "hostile")
	opts.Sandbox = sandbox.Required
	h, log := newHost(t, opts)
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := statusOf(t, h, "hostile"); strings.Contains(p.LastError, "sandbox is required") {
		t.Skipf("this kernel has not the whole sandbox: %s", p.LastError)
	}
	return h, log
}

// told has the hostile plugin do something and returns what came of it.
func told(t *testing.T, h *Host, command string) string {
	t.Helper()
	token, err := refreshed(t.Context(), h, "hostile", command, answer)
	if err != nil {
		return "died: " + err.Error()
	}
	got, _ := token.Extra["got"].(string)
	return got
}

func TestAConfinedPluginWorksAndReachesNothing(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "evergrant.key")
	if err := os.WriteFile(secret, []byte("the hub's key, at least sixteen bytes"), 0o644); err != nil {
		t.Fatal(err)
	}
	h, _ := confined(t, Options{})
	works(t, h, "hostile")

	tcp := listen(t, "tcp", "127.0.0.1:0")
	_, port, err := net.SplitHostPort(tcp)
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(shortDir(t), "s")
	listen(t, "unix", socket)
	if err := os.Chmod(socket, 0o777); err != nil {
		t.Fatal(err)
	}
	abstract := "@evergrant-test-" + strconv.Itoa(os.Getpid())
	listen(t, "unix", abstract)
	packets, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()

	hub := strconv.Itoa(os.Getpid())
	for name, command := range map[string]string{
		"the hub's environment":     "read /proc/" + hub + "/environ",
		"the hub's memory":          "read /proc/" + hub + "/mem",
		"the hub's key":             "read " + secret,
		"the list of people":        "read /etc/passwd",
		"the folder of its sockets": "list " + h.runtimeDir.path,
		"the hub's files":           "list " + filepath.Dir(secret),
		"write beside the key":      "write " + secret + ".x",
		"write to the root":         "write /x",
		"signal the hub":            "signal " + hub,
		"trace the hub":             "ptrace " + hub,
		"connect by TCP":            "dial tcp " + tcp,
		"connect by MPTCP":          "mptcp " + port,
		"send by UDP":               "dial udp " + packets.LocalAddr().String(),
		"a foreign socket":          "dial unix " + socket,
		"an abstract socket":        "dial unix " + abstract,
		"run a shell":               "exec /bin/sh",
		"mount":                     "mount",
		"a name space":              "namespace",
		"become root":               "become-root",
		"more files than allowed":   "files",
	} {
		t.Run(name, func(t *testing.T) {
			got := told(t, h, command)
			// Its own socket's folder may be seen in the runtime folder, nothing else.
			if strings.HasPrefix(command, "list "+h.runtimeDir.path) && strings.Count(got, "plugin-dir") <= 1 && !strings.Contains(got, "lock") {
				return
			}
			if !strings.HasPrefix(got, "denied: ") {
				t.Errorf("%s: %s", command, got)
			}
		})
	}
	if p := statusOf(t, h, "hostile"); len(p.Layers) != len(sandbox.Names) || len(sandbox.Missing(p.Layers)) != 0 {
		t.Errorf("the status shows the layers %v", p.Layers)
	}
	if got := told(t, h, "who"); strings.Contains(got, "uid "+strconv.Itoa(os.Getuid())+" ") && os.Getuid() == 0 {
		t.Errorf("the plugin runs as %s", got)
	}
}

func listen(t *testing.T, network, address string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestAPluginThatTakesEverythingIsStoppedByItsLimits(t *testing.T) {
	longPlay(t)
	reasons := map[string]string{"memory": "used more memory", "threads": "newosproc"}
	for command := range reasons {
		t.Run(command, func(t *testing.T) {
			h, _ := confined(t, Options{CallTimeout: 20 * time.Second})
			works(t, h, "hostile")
			before := memoryOf(os.Getpid())
			if got := told(t, h, command); !strings.HasPrefix(got, "died: ") {
				t.Fatalf("%s: %s", command, got)
			}
			waittest.Until(t, "the reason names what it took", func() bool { return strings.Contains(statusOf(t, h, "hostile").LastError, reasons[command]) })
			if grown := memoryOf(os.Getpid()) - before; grown > 64<<20 {
				t.Errorf("the hub grew by %d MiB", grown>>20)
			}
			works(t, h, "hostile")
		})
	}
}

// Its limits count for one process, so it has no other.
func TestAConfinedPluginHasNoChildren(t *testing.T) {
	h, _ := confined(t, Options{})
	works(t, h, "hostile")
	pid := statusOf(t, h, "hostile").PID
	for _, command := range []string{"forks", "child", "exec /proc/self/exe"} {
		if got := told(t, h, command); !strings.HasPrefix(got, "denied: ") {
			t.Errorf("%s: %s", command, got)
		}
	}
	if now := statusOf(t, h, "hostile").PID; now != pid {
		t.Errorf("the process is another: %d, was %d", now, pid)
	}
}

func TestWithoutNameSpacesTheKernelsOtherWallsHold(t *testing.T) {
	dir := t.TempDir()
	hostileIn(t, dir, "hostile")
	h, _ := newHost(t, Options{Dir: dir, Sandbox: sandbox.BestEffort})
	h.confine.refused(context.Canceled) // as if the system made none
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	works(t, h, "hostile")
	layers := statusOf(t, h, "hostile").Layers
	on := map[string]bool{}
	for _, l := range layers {
		on[l.Name] = l.On
	}
	if on[sandbox.LayerFiles] || on[sandbox.LayerNetwork] || on[sandbox.LayerProcesses] {
		t.Errorf("layers that need name spaces are shown as there: %v", layers)
	}
	if !on[sandbox.LayerLandlock] || !on[sandbox.LayerSeccomp] {
		t.Skipf("this kernel has no landlock or no seccomp: %v", layers)
	}
	tcp := listen(t, "tcp", "127.0.0.1:0")
	for _, command := range []string{
		"read /etc/passwd", "write /tmp/evergrant-hostile", "dial tcp " + tcp, "exec /bin/sh", "ptrace " + strconv.Itoa(os.Getpid()),
		"read /proc/" + strconv.Itoa(os.Getpid()) + "/environ", "signal " + strconv.Itoa(os.Getpid()),
	} {
		if got := told(t, h, command); !strings.HasPrefix(got, "denied: ") {
			t.Errorf("%s: %s", command, got)
		}
	}
}

func TestARequiredSandboxThatIsMissingStartsNothing(t *testing.T) {
	dir := t.TempDir()
	hostileIn(t, dir, "hostile")
	h, _ := newHost(t, Options{Dir: dir, Sandbox: sandbox.Required})
	h.confine.refused(context.Canceled)
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := statusOf(t, h, "hostile")
	if p.State != StateFailed || !strings.Contains(p.LastError, "sandbox is required") || !strings.Contains(p.LastError, "network") {
		t.Errorf("%s: %s", p.State, p.LastError)
	}
}

// A plugin runs as a user of its own, so a file for its owner alone cannot be run.
func TestAFileThatTheSandboxMayNotRunSaysHowToMendIt(t *testing.T) {
	dir := t.TempDir()
	path := hostileIn(t, dir, "hostile")
	change(t, path) // a file of its own, not a link of this program
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	h, _ := newHost(t, Options{Dir: dir, Sandbox: sandbox.BestEffort})
	if h.confine.uidOf("hostile") == 0 {
		t.Skip("the hub may not change to other users here")
	}
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := statusOf(t, h, "hostile"); !strings.Contains(p.LastError, "chmod 755 "+path) {
		t.Errorf("%s: %s", p.State, p.LastError)
	}
}

func TestTheProgramThatWasHashedIsTheOneThatRuns(t *testing.T) {
	dir := t.TempDir()
	path := hostileIn(t, dir, "hostile")
	sum, err := sumOf(Source{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	source := Source{Name: "hostile", Path: path, Sum: sum, Package: &Package{Sum: "s", Hosts: map[string][]string{"hostile": {"auth.example.com"}}}}
	h, _ := newHost(t, Options{Dir: t.TempDir(), Sandbox: sandbox.BestEffort, Installed: func() Installed { return Installed{Sources: []Source{source}} }})
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	works(t, h, "hostile")

	t.Run("another file in its place before the exec", func(t *testing.T) {
		p, err := openProgram(source)
		if err != nil {
			t.Fatal(err)
		}
		defer p.close()
		if err := os.WriteFile(path+".new", []byte("#!/bin/sh\necho stolen\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		private := shortDir(t)
		process, _, _, err := h.confine.startConfined(source, p, private, []string{"EVERGRANT_PLUGIN=no"})
		if err != nil {
			t.Fatal(err)
		}
		process.reading.Go(func() { discard(process.stdout) })
		var out output
		out.log = h.log
		process.reading.Go(func() { out.read(process.stderr, newTail(&out)) })
		process.finish()
		if lines := fmt.Sprint(out.lines()); strings.Contains(lines, "stolen") || process.status == "exit status 0" {
			t.Errorf("the swapped file ran: %s, %s", process.status, lines)
		}
	})
	t.Run("another file after the installation", func(t *testing.T) {
		h.supervisorOf("hostile").replaceWith(nil)
		_, err := refreshed(t.Context(), h, "hostile", "", answer)
		if err == nil || !strings.Contains(err.Error(), "not the one that was installed") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("written to between hash and ready", func(t *testing.T) {
		other := hostileIn(t, t.TempDir(), "hostile")
		p, err := openProgram(Source{Name: "hostile", Path: other})
		if err != nil {
			t.Fatal(err)
		}
		defer p.close()
		if err := p.unchanged(); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(other, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("x"), 4096); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		if err := p.unchanged(); err == nil {
			t.Error("nobody noticed")
		}
	})
}

func TestAPackageMayOnlyTalkToWhatWasApproved(t *testing.T) {
	path := hostileIn(t, t.TempDir(), "hostile")
	for name, test := range map[string]struct {
		pack Package
		says string
	}{
		"another host":     {Package{Sum: "1", Hosts: map[string][]string{"hostile": {"example.org"}}}, "auth.example.com"},
		"another provider": {Package{Sum: "2", Hosts: map[string][]string{"other": {"auth.example.com"}}}, "provider"},
		"another version":  {Package{Sum: "3", Reports: "9.9.9", Hosts: map[string][]string{"hostile": {"auth.example.com"}}}, "9.9.9"},
	} {
		t.Run(name, func(t *testing.T) {
			source := Source{Name: "hostile", Path: path, Package: &test.pack}
			h, _ := newHost(t, Options{Dir: t.TempDir(), Sandbox: sandbox.BestEffort, Installed: func() Installed { return Installed{Sources: []Source{source}} }})
			if err := h.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
			if p := statusOf(t, h, "hostile"); p.State != StateFailed || !strings.Contains(p.LastError, test.says) {
				t.Errorf("%s: %s", p.State, p.LastError)
			}
		})
	}
}

var _ provider.Refresher = testProvider{}
