package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/test/chaos/authority"
)

// Scenes of copied folders, stepped clocks and restored backups share what is here.

// replicaName is a hub of a venue in the authorization server's log.
func replicaName(n int) string { return fmt.Sprintf("hub-%d", n) }

// open is launch, and returns when the hub serves. It asks nothing of the hub.
func (v *venue) open(ctx context.Context, n int, crash string) (*hubProcess, error) {
	h, err := v.launch(ctx, n, crash)
	if err == nil {
		err = h.serves(ctx)
	}
	return h, err
}

// busy has everything renew all the time, with tokens that live so long, until it is
// ended: then tokens live an hour again.
func (v *venue) busy(ctx context.Context, h *hubProcess, least, most time.Duration) (end func() error, err error) {
	v.authority.SetLives(least, most)
	if err := v.renewed(ctx, h, v.all()); err != nil {
		return nil, err
	}
	return func() error { return v.calm(ctx, h) }, nil
}

// calm has everything renewed so that nothing is due for an hour: twice, for the first time
// may be a renewal that was out already.
func (v *venue) calm(ctx context.Context, h *hubProcess) error {
	v.authority.SetAccessLife(time.Hour)
	all := v.all()
	for _, kind := range v.scene.kinds {
		all = append(all, warm(kind))
	}
	if err := v.renewed(ctx, h, all); err != nil {
		return err
	}
	return v.renewed(ctx, h, all)
}

// renewed has a hub renew connections and returns when all are.
func (v *venue) renewed(ctx context.Context, h *hubProcess, connections []string) error {
	before, err := v.generations(ctx, h, connections)
	if err != nil {
		return err
	}
	asking, enough := context.WithCancel(ctx)
	defer enough()
	for name, generation := range before {
		go v.persist(asking, h, name, generation)
	}
	return v.passed(ctx, h, before)
}

// persist asks a hub for the renewal of a connection until there is one: a hub that leaves
// an endpoint alone after failures sends nothing, and says so.
func (v *venue) persist(ctx context.Context, h *hubProcess, name string, generation int64) {
	for {
		if at, err := v.client.renew(ctx, h.url, name); err == nil && at.Generation > generation {
			return
		}
		if wait(ctx, time.Second) != nil {
			return
		}
	}
}

// generations is how far connections have got, as a hub knows it.
func (v *venue) generations(ctx context.Context, h *hubProcess, connections []string) (map[string]int64, error) {
	known := map[string]int64{}
	for _, name := range connections {
		at, err := v.client.view(ctx, h.url, name)
		if err != nil {
			return nil, err
		}
		known[name] = at.Generation
	}
	return known, nil
}

// passed waits until every connection is past what was known before, for as long as
// connections may take to be well after a fault.
func (v *venue) passed(ctx context.Context, h *hubProcess, before map[string]int64) error {
	bounded, cancel := context.WithTimeout(ctx, recoveryTimeout)
	defer cancel()
	for name, generation := range before {
		at, err := v.client.await(bounded, h.url, name, func(at view) bool { return at.Generation > generation || at.Status == "needs_authorization" })
		if err != nil && ctx.Err() == nil {
			v.problem("%s does not get past generation %d: it is %s", name, generation, at)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// out has a hub send renewals whose answers take so long, and returns when all of them
// have reached the authorization server.
func (v *venue) out(ctx context.Context, h *hubProcess, connections []string, long time.Duration) error {
	v.authority.SetManner(func(authority.Request) authority.Manner { return authority.Manner{Delay: long} })
	defer v.authority.SetManner(nil)
	v.known = v.authority.Arrived()
	v.renew(ctx, h, connections)
	return v.arrived(ctx, len(connections))
}

// armed starts replica n, which dies when all these connections have a reply in its
// journal and nowhere else; there are unlearned of them at most.
func (v *venue) armed(ctx context.Context, n int, connections []string) (*hubProcess, error) {
	return v.open(ctx, n, fmt.Sprintf("%s:%d:barrier", crashpoint.Journaled, len(connections)))
}

// command runs evergrant with the settings of replica n.
func (v *venue) command(ctx context.Context, n int, args ...string) error {
	cmd := exec.CommandContext(ctx, v.hub(), args...) //nolint:gosec // the hub under test
	cmd.Env = append(os.Environ(), "EVERGRANT_DATA_DIR="+v.dataDir(n), "EVERGRANT_DATABASE_URL="+v.database, "EVERGRANT_KEY_FILE="+v.key)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("evergrant %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// sentBy counts the token requests of replica n.
func (v *venue) sentBy(n int) int { return v.authority.SentBy(replicaName(n)) }

// says counts the lines of a hub's log with some words.
func (h *hubProcess) says(words string) int {
	data, err := os.ReadFile(h.log)
	if err != nil {
		return 0
	}
	return strings.Count(string(data), words)
}

// copyData copies a data folder as it lies; files that go meanwhile are left out.
func copyData(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, below), 0o700)
		}
		if err := copyFile(path, filepath.Join(to, below)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// copyFile copies the bytes of a file into another one, which stays the same file if it
// is there.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600) //nolint:gosec // G703: a folder of the run
}

// snapshot copies the folder of a hub that runs at one moment, as a disk's snapshot does.
func (v *venue) snapshot(h *hubProcess, from, to string) error {
	signalAll(h.all(), sigstop)
	defer signalAll(h.all(), sigcont)
	return copyData(from, to)
}
