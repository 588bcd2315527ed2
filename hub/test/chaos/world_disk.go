package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
)

// journaled lets a hub die when every connection has a reply in its journal and
// nowhere else.
func (v *venue) journaled(ctx context.Context) error {
	h, err := v.start(ctx, 0, fmt.Sprintf("%s:%d:barrier", crashpoint.Journaled, len(v.all())))
	if err != nil {
		return err
	}
	v.renewAll(ctx, h)
	return h.killed(ctx)
}

// journalBit flips one bit of the journal, a third in. It may cost the reply that
// it hits, and none of the others.
func journalBit(ctx context.Context, v *venue) error {
	if err := v.journaled(ctx); err != nil {
		return err
	}
	v.damaged = 1
	if err := flipBit(filepath.Join(v.dataDir(0), "journal")); err != nil {
		return err
	}
	h, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	return v.settle(ctx, h)
}

// flipBit changes the largest file of a folder, a third in.
func flipBit(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var largest string
	var size int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.Size() > size {
			largest, size = e.Name(), info.Size()
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, largest), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, size/3); err != nil {
		return err
	}
	one[0] ^= 0x10
	_, err = f.WriteAt(one, size/3)
	return err
}

// journalFolderGone removes the journal's folder under a running hub, has
// everything renewed, and kills the hub once every reply is there. The hub has to
// refuse to renew, or to make the folder anew.
func journalFolderGone(ctx context.Context, v *venue) error {
	h, err := v.start(ctx, 0, fmt.Sprintf("%s:%d:barrier", crashpoint.Journaled, len(v.all())))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(v.dataDir(0), "journal")); err != nil {
		return err
	}
	v.renewAll(ctx, h)
	select {
	case <-h.exited:
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(15 * time.Second): // nothing was sent, or not everything at once
		h.kill()
	}
	again, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	return v.recovers(ctx, again, 15*time.Second)
}

// recovers gives connections time until none is uncertain: those that were not
// renewed have no next token set to wait for.
func (v *venue) recovers(ctx context.Context, h *hubProcess, long time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	for _, name := range v.all() {
		// The bound is what ends it where nothing comes.
		_, _ = v.client.await(ctx, h.url, name, func(at view) bool { return over(at) || !at.uncertain() })
	}
	return nil
}

// databaseLate kills a hub with replies in its journal and starts it again while
// PostgreSQL is away, which comes ten seconds later.
func databaseLate(ctx context.Context, v *venue) error {
	if err := v.journaled(ctx); err != nil {
		return err
	}
	away := sized(v.stage, 10*time.Second, 4*time.Second)
	if err := v.postgres.stop(ctx); err != nil {
		return err
	}
	h, err := v.launch(ctx, 0, "")
	if err != nil {
		return err
	}
	err = wait(ctx, away)
	if started := v.postgres.start(ctx); err == nil {
		err = started
	}
	if err != nil {
		return err
	}
	select {
	case <-h.exited:
		v.problem("the hub ended because PostgreSQL was away: %s", h.tail(1))
		if h, err = v.launch(ctx, 0, ""); err != nil {
			return err
		}
	case <-time.After(time.Second):
	}
	if err := v.asked(ctx, h); err != nil {
		return err
	}
	return v.settle(ctx, h)
}
