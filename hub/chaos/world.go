package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// scene is one fault of the world around a hub, played on connections of its own.
type scene struct {
	name string
	// postgres and sqlite are the databases that it is played on.
	postgres, sqlite bool
	// server gives it a PostgreSQL of its own, to be stopped.
	server bool
	// kinds have so many connections each.
	kinds []provider.RotationKind
	each  int
	times func(*stage) renewalTimes
	play  func(context.Context, *venue) error
}

func scenes() []scene {
	rotates := []provider.RotationKind{provider.RotationRotates}
	frozen := func(*stage) renewalTimes { return frozenTimes() }
	sends := func(*stage) renewalTimes { return lateSendTimes() }
	return []scene{
		{"endpoint-stall", true, true, false, rotates, 40, worldTimes, endpointStall},
		{"late-answer", true, true, false, rotates, 10, worldTimes, lateAnswer},
		{"late-send-intent", true, false, false, rotates, 5, sends, lateSendIntent},
		{"late-send-dialled", true, false, false, rotates, 5, sends, lateSendDialled},
		{"late-send-writing", true, false, false, rotates, 5, sends, lateSendWriting},
		{"plugin-frozen", true, true, false, rotates, 20, frozen, pluginFrozen},
		{"hub-paused", true, true, false, rotates, 8, frozen, hubPaused},
		{"database-late", true, false, true, rotates, 5, worldTimes, databaseLate},
		{"journal-bit", false, true, false, rotates, unlearned, worldTimes, journalBit},
		{"journal-folder-gone", true, true, false, rotates, unlearned, worldTimes, journalFolderGone},
		{"gateway", true, true, false, []provider.RotationKind{provider.RotationNone, provider.RotationRotatesWithGrace, provider.RotationRotates}, 5, worldTimes, gateway},
	}
}

// scenesAtOnce is how many scenes go side by side: most of their time they wait.
const scenesAtOnce = 6

// world plays every scene.
func world(ctx context.Context, st *stage) (tally, error) {
	p, err := st.startPostgres(ctx, "world-postgres")
	if err != nil {
		return tally{}, err
	}
	defer func() { _ = p.stop(context.WithoutCancel(ctx)) }()
	var mu sync.Mutex
	var all tally
	var failed error
	var work sync.WaitGroup
	free := make(chan struct{}, scenesAtOnce)
	perform := func(s scene, on *postgres) {
		free <- struct{}{}
		work.Go(func() {
			defer func() { <-free }()
			t, err := st.perform(ctx, s, on)
			mu.Lock()
			defer mu.Unlock()
			all.add(t)
			failed = errors.Join(failed, err)
		})
	}
	for _, s := range scenes() {
		if !strings.HasPrefix(s.name, st.scene) {
			continue
		}
		if s.postgres {
			perform(s, p)
		}
		if s.sqlite && (!st.short || !s.postgres) { // once in a short run
			perform(s, nil)
		}
	}
	work.Wait()
	return all, failed
}

// perform plays a scene on a database and says what it counted.
func (st *stage) perform(ctx context.Context, s scene, on *postgres) (tally, error) {
	ctx, cancel := context.WithTimeout(ctx, sceneBound)
	defer cancel()
	if s.server {
		own, err := st.startPostgres(ctx, s.name+"-postgres")
		if err != nil {
			return tally{}, err
		}
		defer func() { _ = own.stop(context.WithoutCancel(ctx)) }()
		on = own
	}
	v, err := st.openVenue(ctx, s, on)
	if err != nil {
		return tally{}, fmt.Errorf("%s: %w", s.name, err)
	}
	defer v.close()
	pulling, enough := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { v.load.run(pulling, 1, func() bool { return false }) })
	err = s.play(ctx, v)
	enough()
	work.Wait()
	c := v.count(ctx)
	st.say("   world %-28s %s", v.name+":", c)
	if err != nil {
		v.problem("it broke: %v", err)
	}
	return v.tallied(c), nil
}

// sceneBound is more than the longest scene takes.
const sceneBound = 4 * time.Minute

// counted is what came of a scene.
type counted struct{ grants, lost, doubleSpent, stale, uncertain, declared, renewals int }

// String is the line of a scene.
func (c counted) String() string {
	s := fmt.Sprintf("%d grants, %d lost, %d double-spent, %d stale, %d uncertain at the end", c.grants, c.lost, c.doubleSpent, c.stale, c.uncertain)
	if c.declared > 0 {
		s += fmt.Sprintf("; %d ended as nobody can help", c.declared)
	}
	return s
}
