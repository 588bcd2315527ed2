package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// agedByTwo runs two replicas, has a backup made, and has each of them renew its own
// connections, thrice.
func (v *venue) agedByTwo(ctx context.Context, first, second []string) (hubs []*hubProcess, backup database, reached map[string]int64, err error) {
	backup = v.backup()
	for n := range 2 {
		h, err := v.start(ctx, n, "")
		if err != nil {
			return nil, backup, nil, err
		}
		hubs = append(hubs, h)
	}
	v.ask(hubs...)
	if err := v.expired(ctx, hubs[0], backup); err != nil {
		return nil, backup, nil, err
	}
	for range 3 {
		for n, connections := range [][]string{first, second} {
			if err := v.renewed(ctx, hubs[n], connections); err != nil {
				return nil, backup, nil, err
			}
		}
	}
	reached, err = v.generations(ctx, hubs[0], slices.Concat(first, second))
	return hubs, backup, reached, err
}

// expired has a backup made whose token sets are over soon after it.
func (v *venue) expired(ctx context.Context, h *hubProcess, backup database) error {
	v.authority.SetLives(shortLife, longLife)
	if err := v.renewed(ctx, h, v.all()); err != nil {
		return err
	}
	if err := backup.save(ctx); err != nil {
		return err
	}
	v.authority.SetAccessLife(time.Hour)
	return wait(ctx, longLife)
}

// restoreFolderLost puts a backup back under two replicas, each of which has renewed half of
// the grants last, and the folder of one of them is gone for good. Those that it had renewed
// last nobody can bring forward: they have to be told by name.
func restoreFolderLost(ctx context.Context, v *venue) error {
	all := v.all()
	half := len(all) / 2
	kept, gone := all[:half], all[half:]
	hubs, backup, reached, err := v.agedByTwo(ctx, kept, gone)
	if err != nil {
		return err
	}
	for _, h := range hubs {
		h.stop()
	}
	if err := backup.restore(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(v.dataDir(1)); err != nil {
		return err
	}
	for _, name := range gone {
		v.doomed[name] = true
	}
	h, listed, err := v.startCompared(ctx, 0)
	if err != nil {
		return err
	}
	if err := v.caughtUp(ctx, h, reached); err != nil {
		return err
	}
	// Listed is what was due or over. The others were renewed by hand before they were due, and
	// the service refuses them at their next renewal.
	v.remark += fmt.Sprintf("; %d listed as behind the backup", len(listed))
	for decision, ofWhom := range map[string]func(string) bool{
		"links": func(name string) bool { return slices.Contains(gone, name) },
		"try":   func(name string) bool { return !slices.Contains(gone, name) },
	} {
		chosen := slices.DeleteFunc(slices.Clone(listed), func(name string) bool { return !ofWhom(name) })
		if len(chosen) == 0 {
			continue
		}
		if err := v.client.decide(ctx, h.url, decision, chosen); err != nil {
			return err
		}
	}
	return v.toldByName(ctx, h, gone)
}

// toldByName waits until each connection says that somebody has to authorize it again.
func (v *venue) toldByName(ctx context.Context, h *hubProcess, connections []string) error {
	bounded, cancel := context.WithTimeout(ctx, recoveryTimeout)
	defer cancel()
	v.renew(ctx, h, connections)
	silent := 0
	for _, name := range connections {
		at, err := v.client.await(bounded, h.url, name, func(at view) bool { return at.Status == "needs_authorization" })
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if silent++; silent == 1 {
				v.problem("%s is behind for good, and is %s", name, at)
			}
		}
	}
	v.remark += fmt.Sprintf("; %d told by name that they need an authorization", len(connections)-silent)
	return nil
}
