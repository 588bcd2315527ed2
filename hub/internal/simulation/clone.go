package simulation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// clones copies the data folder of a replica while that runs, now and then, and starts the
// copy as a replica of its own, until the end. The original is stopped and started again
// meanwhile, as all are. A copy ends in peace before the next one is made: what is in its
// folder alone goes with it.
func (w *World) clones(ctx context.Context, clone *replica, end time.Time) error {
	for n := 0; ; n++ {
		nth := fmt.Sprint(n)
		<-time.After(w.fate.between(3*time.Minute, 12*time.Minute, "is cloned", nth))
		if !time.Now().Before(end) {
			return nil
		}
		if err := w.cloneOnce(ctx, clone, nth); err != nil {
			return err
		}
	}
}

func (w *World) cloneOnce(ctx context.Context, clone *replica, nth string) error {
	w.calm <- struct{}{}
	defer func() { <-w.calm }()
	clone.shut()
	w.history.left(clone.name)
	of := w.replicas[int(w.fate.roll("which is cloned", nth)*float64(len(w.replicas)-1))]
	clone.remembered.Store(of.remembered.Load())
	clone.dir = filepath.Join(w.o.Dir, clone.name+"-"+nth)
	if err := copyFolder(filepath.Join(of.dir, "journal"), filepath.Join(clone.dir, "journal")); err != nil {
		return err
	}
	// A disk is copied in a moment, and its copy starts whenever it does.
	<-time.After(w.fate.between(0, time.Minute, "copy starts", nth))
	if err := clone.start(ctx, w.o.Box); err != nil {
		return fmt.Errorf("the copy of %s does not start: %w", of.name, err)
	}
	w.mu.Lock()
	w.cloned++
	w.mu.Unlock()
	return nil
}

// copyFolder copies the files of a folder that is in use: what goes meanwhile is left out.
func copyFolder(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, e.Name()), data, 0o600) //nolint:gosec // G703: a folder of the simulation
		}
		if err != nil {
			return err
		}
	}
	return nil
}
