package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stepsEnv names the file whose first eight bytes are how far the clock of a hub that
// buildClockHub has made is off, in nanoseconds: the file is mapped, so that a step is
// seen at once. Only the wall clock steps; the monotonic one goes on.
const stepsEnv = "EVERGRANT_TEST_CLOCK"

// steppedSource is added to the package time.
const steppedSource = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var steps = mapSteps()

func mapSteps() *atomic.Int64 {
	path, ok := syscall.Getenv("` + stepsEnv + `")
	if !ok {
		return nil
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic("open " + path + ": " + err.Error())
	}
	page, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("map " + path + ": " + err.Error())
	}
	_ = syscall.Close(fd)
	return (*atomic.Int64)(unsafe.Pointer(&page[0]))
}

func stepped(sec int64, nsec int32) (int64, int32) {
	if steps == nil {
		return sec, nsec
	}
	off := steps.Load()
	sec, nsec = sec+off/1e9, nsec+int32(off%1e9)
	switch {
	case nsec < 0:
		return sec - 1, nsec + 1e9
	case nsec >= 1e9:
		return sec + 1, nsec - 1e9
	}
	return sec, nsec
}
`

// readsClock is the line of time.Now that the step is put behind.
const readsClock = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"

// buildClockHub builds a hub whose wall clock can be stepped, if a scene is played that
// needs one: the package time of the Go that is installed is replaced for this build.
func (st *stage) buildClockHub(ctx context.Context) error {
	needed := slices.ContainsFunc(scenes(), func(s scene) bool { return s.steps && strings.HasPrefix(s.name, st.scene) })
	if !needed || st.short || st.clockHub != "" {
		return nil
	}
	dir := filepath.Join(st.dir, "clock")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	overlay, err := overlayOf(ctx, dir)
	if err != nil {
		return fmt.Errorf("replace the package time: %w", err)
	}
	begin := time.Now()
	st.clockHub = filepath.Join(dir, "evergrant")
	out, err := exec.CommandContext(ctx, "go", "build", "-overlay="+overlay, "-o", st.clockHub, "./cmd/evergrant").CombinedOutput() //nolint:gosec // the hub under test
	if err != nil {
		return fmt.Errorf("build a hub whose clock can be stepped: %w\n%s", err, out)
	}
	st.say("   world: a hub whose clock can be stepped was built in %s", time.Since(begin).Round(time.Second))
	return nil
}

// overlayOf writes what replaces the package time, and returns the file that says so.
func overlayOf(ctx context.Context, dir string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	original := filepath.Join(strings.TrimSpace(string(out)), "src", "time")
	source, err := os.ReadFile(filepath.Join(original, "time.go"))
	if err != nil {
		return "", err
	}
	if strings.Count(string(source), readsClock) != 1 {
		return "", errors.New("time.Now of this Go reads the clock in another way")
	}
	now, stepped, overlay := filepath.Join(dir, "time.go"), filepath.Join(dir, "stepped.go"), filepath.Join(dir, "overlay.json")
	changed := strings.Replace(string(source), readsClock, readsClock+"\tsec, nsec = stepped(sec, nsec)\n", 1)
	if err := os.WriteFile(now, []byte(changed), 0o600); err != nil { //nolint:gosec // G703: a folder of the run
		return "", err
	}
	if err := os.WriteFile(stepped, []byte(steppedSource), 0o600); err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(original, "time.go"): now, filepath.Join(original, "stepped.go"): stepped,
	}})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, data, 0o600)
}

// setClock puts a hub's clock off by so much from now on.
func setClock(file string, off time.Duration) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(off)), 0)
	return err
}

// fakeClock starts the server again with a clock that setClock steps.
func (p *postgres) fakeClock(ctx context.Context, library string) error {
	if library == "" {
		return skipError{"libfaketime is not installed"}
	}
	if err := p.setClock(0); err != nil {
		return err
	}
	p.env = []string{"LD_PRELOAD=" + library, "FAKETIME_TIMESTAMP_FILE=" + p.clockFile(), "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"}
	if err := p.end(ctx, "fast"); err != nil {
		return err
	}
	return p.start(ctx)
}

func (p *postgres) clockFile() string { return filepath.Join(p.home, "clock") }

// setClock puts the server's clock off by so much from now on.
func (p *postgres) setClock(off time.Duration) error {
	next := p.clockFile() + ".next"
	if err := os.WriteFile(next, []byte(fmt.Sprintf("%+d\n", int(off.Seconds()))), 0o644); err != nil { //nolint:gosec // G306: PostgreSQL's account reads it
		return err
	}
	return os.Rename(next, p.clockFile())
}
