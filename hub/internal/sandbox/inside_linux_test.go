package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// insideName is the name under which this test binary does all that the shim does, with
// something to execute that is no program, so that it lives on behind its walls. A run
// with coverage then finds in its private folder which of their code was run.
const insideName = "evergrant-sandbox-inside"

func TestMain(m *testing.M) {
	if os.Args[0] == insideName {
		inside()
	}
	os.Exit(m.Run())
}

func inside() {
	runtime.LockOSThread()
	s := &shim{}
	err := s.run()
	s.report.Error = err.Error()
	s.say()
	os.Exit(0)
}

// confine starts what is no program behind the walls and returns those that stand, and
// why it was not executed.
func confine(t *testing.T, p Program, spaces bool, why error) ([]Layer, error) {
	t.Helper()
	text := filepath.Join(t.TempDir(), "text")
	must(t, os.WriteFile(text, []byte("this is no program"), 0o755))
	file, err := os.Open(text)
	must(t, err)
	defer file.Close()
	cmd, started, err := Command(file, p, spaces, why)
	must(t, err)
	cmd.Args, cmd.Env, cmd.Stderr = []string{insideName}, []string{"GOCOVERDIR=" + p.Dir}, os.Stderr
	err = cmd.Start()
	if err != nil && spaces && NoSpaces(err) {
		_, _ = started.Outcome(false)
		t.Skip("this system makes no name spaces:", err)
	}
	must(t, err)
	layers, outcome := started.Outcome(true)
	_ = cmd.Wait()
	place := p.Dir
	if folder := started.Folder(); folder != nil {
		defer folder.Close()
		place = fmt.Sprintf("/proc/self/fd/%d", folder.Fd())
	}
	keepCounters(t, place)
	return layers, outcome
}

// keepCounters puts what a process counted beside what this one counts, of whose program
// it is, where a run with coverage sums it up.
func keepCounters(t *testing.T, from string) {
	t.Helper()
	to := flag.Lookup("test.gocoverdir").Value.String()
	counters, err := filepath.Glob(filepath.Join(from, "covcounters.*"))
	must(t, err)
	for _, file := range counters {
		data, err := os.ReadFile(file)
		must(t, err)
		if to != "" {
			must(t, os.WriteFile(filepath.Join(to, filepath.Base(file)), data, 0o600))
		}
	}
}

// program is one with a folder of its own.
func program(t *testing.T) Program {
	t.Helper()
	dir, err := os.MkdirTemp("", "sandboxed") // one that other users can reach
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := Program{Name: "program", Dir: dir, Env: []string{"A=b"}, Memory: 1 << 30, Disk: 8 << 20}
	if os.Geteuid() == 0 {
		p.UID = 0x70000001
		must(t, os.Chown(dir, int(p.UID), int(p.UID)))
	}
	return p
}

// layer is one of those that stand or do not.
func layer(t *testing.T, layers []Layer, name string) Layer {
	t.Helper()
	for _, l := range layers {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("nothing is said of %s: %v", name, layers)
	return Layer{}
}

func TestEveryWallStandsBeforeTheProgramIsExecuted(t *testing.T) {
	layers, err := confine(t, program(t), true, nil)
	if err == nil || !strings.Contains(err.Error(), "execute it") {
		t.Fatalf("a text was executed: %v", err)
	}
	if len(layers) != len(Names) || len(Missing(layers)) != 0 {
		t.Errorf("missing: %v", Missing(layers))
	}
	if l := layer(t, layers, LayerLimits); !strings.Contains(l.Detail, "8 MiB of files (a file system in memory)") {
		t.Errorf("limits are %s", l.Detail)
	}
}

func TestWithoutNameSpacesTheOtherWallsStand(t *testing.T) {
	layers, err := confine(t, program(t), false, errors.New("the system refused"))
	if err == nil {
		t.Fatal("a text was executed")
	}
	for _, name := range []string{LayerFiles, LayerNetwork, LayerProcesses} {
		if l := layer(t, layers, name); l.On || !strings.Contains(l.Detail, "the system refused") {
			t.Errorf("%+v", l)
		}
	}
	for _, name := range []string{LayerLimits, LayerLandlock, LayerSeccomp} {
		if l := layer(t, layers, name); !l.On {
			t.Errorf("%+v", l)
		}
	}
	own := program(t)
	own.UID = 0
	layers, _ = confine(t, own, false, nil)
	if l := layer(t, layers, LayerUser); l.On || !strings.Contains(l.Detail, "may not change users") {
		t.Errorf("%+v", l)
	}
}

// script is a program of two files with the system's shell; sums are those of the files.
func script(t *testing.T, text string) Program {
	t.Helper()
	p := program(t)
	p.System, p.Tree, p.Interpreter, p.Script = true, t.TempDir(), "/bin/sh", "bin/run"
	must(t, os.Mkdir(filepath.Join(p.Tree, "bin"), 0o755))
	must(t, os.WriteFile(filepath.Join(p.Tree, p.Script), []byte(text), 0o644))
	sum := sha256.Sum256([]byte(text))
	p.Files = []File{{Path: p.Script, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text))}}
	return p
}

func TestAScriptIsCheckedAndShownToItsInterpreter(t *testing.T) {
	p := script(t, "exit 0\n")
	p.Interpreter = "/usr/lib/os-release" // no program, so that this process lives on
	layers, err := confine(t, p, true, nil)
	if err == nil || !strings.Contains(err.Error(), "execute it") || len(Missing(layers)) != 0 {
		t.Errorf("missing %v, %v", Missing(layers), err)
	}
	p.Interpreter = "/usr/bin/nothing"
	if _, err = confine(t, p, true, nil); err == nil || !strings.Contains(err.Error(), "open the interpreter") {
		t.Errorf("without its interpreter: %v", err)
	}
	for name, change := range map[string]func(*Program){
		"it was changed after it was installed": func(p *Program) { p.Files[0].SHA256 = strings.Repeat("0", 64) },
		"is outside the package":                func(p *Program) { p.Files[0].Path = "../run" },
		"copy bin/nothing":                      func(p *Program) { p.Files[0].Path = "bin/nothing" },
	} {
		p := script(t, "exit 0\n")
		p.Interpreter = "/usr/lib/os-release"
		change(&p)
		layers, _ := confine(t, p, true, nil)
		if l := layer(t, layers, LayerFiles); l.On || !strings.Contains(l.Detail, name) {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// A loose script is shown where it is, and an interpreter of one's own with what is beside it.
func TestALooseScriptIsShownWhereItIs(t *testing.T) {
	p := script(t, "exit 0\n")
	p.Files = nil
	prefix, err := os.MkdirTemp("", "interpreter")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(prefix) })
	p.Interpreter = filepath.Join(prefix, "bin", "own")
	must(t, os.Mkdir(filepath.Dir(p.Interpreter), 0o755))
	must(t, os.WriteFile(p.Interpreter, []byte("no program"), 0o644))
	layers, err := confine(t, p, true, nil)
	if err == nil || !strings.Contains(err.Error(), "execute it") || len(Missing(layers)) != 0 {
		t.Errorf("missing %v, %v", Missing(layers), err)
	}
	p.Tree = filepath.Join(p.Tree, "nothing")
	layers, _ = confine(t, p, true, nil)
	if l := layer(t, layers, LayerFiles); l.On || !strings.Contains(l.Detail, p.Tree) {
		t.Errorf("%+v", l)
	}
}

func TestWhatCannotBePreparedIsNotStarted(t *testing.T) {
	p := program(t)
	p.Env = []string{"A=b\x00c"}
	if _, err := confine(t, p, false, nil); err == nil || !strings.Contains(err.Error(), "pass") {
		t.Errorf("an environment that cannot be passed on: %v", err)
	}
	p = program(t)
	p.Dir = filepath.Join(p.Dir, "nothing")
	for _, spaces := range []bool{true, false} {
		if _, err := confine(t, p, spaces, nil); err == nil || !strings.Contains(err.Error(), "enter its folder") {
			t.Errorf("without its folder: %v", err)
		}
	}
}

// run runs a script in the sandbox and returns what it wrote.
func run(t *testing.T, p Program, spaces bool) (said string, err error) {
	t.Helper()
	null, err := os.Open(os.DevNull)
	must(t, err)
	defer null.Close()
	cmd, started, err := Command(null, p, spaces, nil)
	must(t, err)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		_, _ = started.Outcome(false)
		t.Skip("this system makes no name spaces:", err)
	}
	_, err = started.Outcome(true)
	if ended := cmd.Wait(); err == nil {
		_, failed := errors.AsType[*exec.ExitError](ended)
		if ended != nil && !failed {
			err = ended
		}
	}
	return out.String(), err
}

// What runs has its folder and its environment, and nothing of the hub's.
func TestAProgramHasItsFolderAndNothingElse(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(secret, []byte("secret"), 0o644))
	p := script(t, `echo "A is $A, HOME is $HOME"
pwd
echo kept > file && read word < file && echo "$word"
read word < `+secret+` && echo "read $word"
read word < /etc/passwd && echo "read $word"
echo x > /x && echo "wrote to the root"
/bin/true && echo "ran a program"
exit 0
`)
	said, err := run(t, p, true)
	must(t, err)
	if !strings.Contains(said, "A is b, HOME is \n"+p.Dir+"\nkept\n") {
		t.Errorf("it said:\n%s", said)
	}
	for _, never := range []string{"read ", "wrote to", "ran a"} {
		if strings.Contains(said, "\n"+never) {
			t.Errorf("it %s:\n%s", never, said)
		}
	}
}

func TestARequiredSandboxThatIsNotWholeRunsNothing(t *testing.T) {
	p := script(t, "echo it runs\n")
	p.Required = true
	said, err := run(t, p, false)
	missing, ok := errors.AsType[*MissingError](err)
	if !ok || said != "" || !strings.Contains(missing.Error(), "set plugins.sandbox to best-effort") {
		t.Errorf("%v, and it said %q", err, said)
	}
}

func TestAStartThatSaysNothingIsAnError(t *testing.T) {
	null, err := os.Open(os.DevNull)
	must(t, err)
	defer null.Close()
	cmd, started, err := Command(null, program(t), false, nil)
	must(t, err)
	cmd.Path, cmd.Args = "/bin/true", []string{"true"}
	must(t, cmd.Start())
	if _, err := started.Outcome(true); err == nil || !strings.Contains(err.Error(), "without a word") && !strings.Contains(err.Error(), "speak to") {
		t.Errorf("%v", err)
	}
	_ = cmd.Wait()
}

// An older kernel forbids less, a newer one everything that is known here.
func TestLandlockForbidsWhatTheKernelKnows(t *testing.T) {
	for abi, want := range map[int]struct{ truncate, net, ioctl, scoped bool }{1: {}, 3: {truncate: true}, 4: {truncate: true, net: true}, 5: {true, true, true, false}, 6: {true, true, true, true}} {
		attr := handled(abi)
		if (attr.Handled_access_fs&unix.LANDLOCK_ACCESS_FS_TRUNCATE != 0) != want.truncate || (attr.Handled_access_net != 0) != want.net ||
			(attr.Handled_access_fs&unix.LANDLOCK_ACCESS_FS_IOCTL_DEV != 0) != want.ioctl || (attr.Scoped != 0) != want.scoped {
			t.Errorf("version %d: %+v", abi, attr)
		}
	}
}

func TestOnlyARefusalOfTheSystemMeansNoNameSpaces(t *testing.T) {
	for _, no := range []error{unix.EPERM, unix.ENOSPC, unix.EINVAL, unix.EUSERS, unix.ENOSYS} {
		if !NoSpaces(fmt.Errorf("start: %w", no)) {
			t.Errorf("%v is none", no)
		}
	}
	if NoSpaces(unix.ENOENT) || NoSpaces(nil) {
		t.Error("another error is taken for one")
	}
	if there, why := Available(); !there {
		t.Skip("no sandbox here:", why)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
