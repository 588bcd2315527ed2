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
	"testing"
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
	dir, err := os.MkdirTemp("", "sandboxed") //nolint:usetesting // other users can reach it
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
