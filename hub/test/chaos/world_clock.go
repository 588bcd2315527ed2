package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
)

// Clocks of a scene: those of its hubs by their number, and the database's.
const databaseClock = -1

func (v *venue) clockFile(n int) string {
	return filepath.Join(v.dir, slugged("world "+v.name)+fmt.Sprintf("-%d.clock", n))
}

// off says how far clocks are off; those that are not in it are right.
type off map[int]time.Duration

// clockSteps plays steps of clocks, each until the hubs have believed clocks again for a
// while. The n'th renewal of a grant takes up to three seconds, so that some are always out.
func clockSteps(steps ...off) func(context.Context, *venue) error {
	return func(ctx context.Context, v *venue) error {
		hubs, err := v.clockHubs(ctx, 1)
		if v.postgres != nil && err == nil {
			var second []*hubProcess
			second, err = v.clockHubs(ctx, 2)
			hubs = append(hubs, second...)
		}
		if err != nil {
			return err
		}
		v.ask(hubs...)
		v.authority.SetManner(func(r authority.Request) authority.Manner {
			return authority.Manner{Delay: time.Duration(r.Nth%4) * time.Second}
		})
		end, err := v.busy(ctx, hubs[0], 10*time.Second, 50*time.Second)
		if err != nil {
			return err
		}
		for _, step := range append(steps, off{}) {
			if err := v.step(ctx, step, hubs); err != nil {
				return err
			}
		}
		doubts := 0
		for n, h := range hubs {
			said := h.says("clock step detected, renewals paused")
			if said == 0 && v.mustDoubt(n, steps) {
				v.problem("hub %d has not noticed that a clock stepped", n)
			}
			doubts += said
		}
		v.remark = fmt.Sprintf("%d steps, noticed %d times", len(steps)+1, doubts)
		return end()
	}
}

// mustDoubt reports whether a clock that a hub sees has stepped.
func (v *venue) mustDoubt(n int, steps []off) bool {
	for _, s := range steps {
		if s[n] != 0 || s[databaseClock] != 0 {
			return true
		}
	}
	return false
}

// clockHubs starts the last of so many hubs with a clock of its own that is right.
func (v *venue) clockHubs(ctx context.Context, n int) ([]*hubProcess, error) {
	if err := setClock(v.clockFile(n-1), 0); err != nil {
		return nil, err
	}
	h, err := v.start(ctx, n-1, "")
	return []*hubProcess{h}, err
}

// believed is how long hubs take at most until they believe clocks again.
const believed = 75 * time.Second

// step asks for renewals, sets all clocks at once while those are out, and waits until no
// hub has a doubt any more.
func (v *venue) step(ctx context.Context, to off, hubs []*hubProcess) error {
	v.known = v.authority.Arrived()
	v.renewAll(ctx, hubs[0])
	if err := v.arrived(ctx, len(v.all())/4); err != nil {
		return err
	}
	var work sync.WaitGroup
	for n := range hubs {
		work.Go(func() { _ = setClock(v.clockFile(n), to[n]) })
	}
	if v.postgres != nil && v.scene.on == onOwnPostgres {
		work.Go(func() { _ = v.postgres.setClock(to[databaseClock]) })
	}
	work.Wait()
	if err := wait(ctx, 12*time.Second); err != nil { // two signs of life
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, believed)
	defer cancel()
	for _, h := range hubs {
		for !v.ready(bounded, h) {
			if wait(bounded, 200*time.Millisecond) != nil {
				v.problem("%s is not ready %s after a step to %v", filepath.Base(h.log), believed, to)
				return ctx.Err()
			}
		}
	}
	return wait(ctx, 5*time.Second)
}

func (v *venue) ready(ctx context.Context, h *hubProcess) bool {
	return v.client.do(ctx, "GET", h.url+"/readyz", nil, nil) == nil
}

// clockScenes are steps of one size: of the hubs alone, one after the other; of the
// database alone; of all together.
func clockScenes(size string, by time.Duration) []scene {
	one := func(what, title string, on databases, steps ...off) scene {
		return scene{
			name: "clock-" + size + "-" + what, what: title + " by +" + size + ", by -" + size + " and back",
			on: on, kinds: rotating(), each: 40, times: dataTimes, play: clockSteps(steps...), long: true, steps: true,
		}
	}
	return []scene{
		one("hub", "the clock of one hub steps, then that of the other one,", onBoth, off{0: by}, off{0: -by}, off{0: by / 2, 1: -by}),
		one("database", "the database's clock steps", onOwnPostgres, off{databaseClock: by}, off{databaseClock: -by}),
		one("all", "the clocks of both hubs and of the database step", onOwnPostgres,
			off{0: by, 1: by, databaseClock: by}, off{0: -by, 1: -by, databaseClock: -by}),
	}
}
