package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

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
	prefix, err := os.MkdirTemp("", "interpreter") //nolint:usetesting // other users can reach it
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
