package authorkit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/providertest"
)

// Watching is the input of Watch.
type Watching struct {
	// Source is the folder of the plugin's main package.
	Source string
	// PluginsDir is the folder of a running hub, which looks at it.
	PluginsDir string
	// Unconfined tries what was built with the caller's own rights, without a sandbox.
	Unconfined bool
	// Fixtures say with which service its operations are run twice; nil runs none.
	Fixtures *Fixtures
	// Every is the time between two looks; 500 ms.
	Every time.Duration
	// Say is called with progress messages.
	Say func(format string, args ...any)
}

// Watch builds the plugin, starts it once in the sandbox of the hub, and puts it into the
// hub's folder, again after every change of a source file, until ctx ends. A build or
// start that fails is reported with its output, and the running plugin stays.
func Watch(ctx context.Context, w Watching) error {
	source, err := filepath.Abs(w.Source)
	if err != nil {
		return fmt.Errorf("watch %s: %w", w.Source, err)
	}
	name := "evergrant-provider-" + strings.TrimPrefix(filepath.Base(source), "evergrant-provider-")
	if w.Every <= 0 {
		w.Every = 500 * time.Millisecond
	}
	built := ""
	for {
		now, err := fingerprint(source)
		if err != nil {
			return fmt.Errorf("watch %s: %w", source, err)
		}
		if now != built {
			built = now
			began := time.Now()
			if err := w.build(ctx, source, filepath.Join(w.PluginsDir, name)); err != nil && ctx.Err() == nil {
				w.Say("%v", err)
			} else {
				w.Say("built %s in %s; the hub swaps it", name, time.Since(began).Round(10*time.Millisecond))
				w.replay(ctx, filepath.Join(w.PluginsDir, name))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.Every):
		}
	}
}

// replay reports requests that are other ones when an operation runs again.
func (w Watching) replay(ctx context.Context, binary string) {
	if w.Fixtures == nil {
		return
	}
	if err := providertest.Replays(ctx, w.Fixtures.config(ctx, binary)); err != nil && ctx.Err() == nil {
		w.Say("a hub that runs an operation again would not finish it:\n%v", err)
	}
}

// fingerprint changes with every source file.
func fingerprint(source string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != source {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") && entry.Name() != "go.mod" && filepath.Ext(path) != ".svg" {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // an editor replaced it just now
		}
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(sum, path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// build writes the program atomically, because a hub may scan at any moment. The source
// may be untrusted, so git, which executes configuration of the folder, is not run for a
// version.
func (w Watching) build(ctx context.Context, source, target string) error {
	fresh := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".new")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", fresh, ".") //nolint:gosec // G204: what the author asks for
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the build failed, so the running plugin stays:\n%s", strings.TrimSpace(string(out)))
	}
	defer func() { _ = os.Remove(fresh) }() // unless it was renamed
	if _, err := providertest.Ask(ctx, fresh, starter(ctx, w.Unconfined)); err != nil {
		return fmt.Errorf("what was built does not start, so the running plugin stays: %w", err)
	}
	if err := os.Rename(fresh, target); err != nil {
		return fmt.Errorf("put the plugin into the hub's folder: %w", err)
	}
	return nil
}
