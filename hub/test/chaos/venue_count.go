package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// count judges: a grant is lost if its family has ended or it cannot be renewed any
// more, and uncertain if the hub still does not know.
func (v *venue) count(ctx context.Context) counted {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	c := counted{grants: len(v.all()), stale: int(v.load.bad.Load())}
	ended, _, _ := v.losses(ctx, slices.Collect(maps.Keys(v.doomed)))
	c.declared += ended
	for _, kind := range v.scene.kinds {
		lost, uncertain, why := v.losses(ctx, slices.DeleteFunc(slices.Clone(v.connections[kind]), func(name string) bool { return v.doomed[name] }))
		if why != "" && !v.declared[kind] {
			v.problem("%d connections cannot be renewed, for example %s", lost, why)
		}
		c.uncertain += uncertain
		if v.declared[kind] {
			c.declared += lost
		} else {
			c.lost += lost
		}
	}
	judged := v.authority.Judge()
	c.renewals, c.doubleSpent = judged.Renewals, max(0, judged.DoubleSpent-c.declared)
	c.remark = v.remark
	if destroyed := min(c.lost, v.damaged); destroyed > 0 {
		c.lost, c.doubleSpent, c.declared = c.lost-destroyed, max(0, c.doubleSpent-destroyed), c.declared+destroyed
	}
	return c
}

func (v *venue) losses(ctx context.Context, connections []string) (lost, uncertain int, why string) {
	var mu sync.Mutex
	var work sync.WaitGroup
	for _, name := range connections {
		work.Go(func() {
			at, err := v.client.view(ctx, v.url(), name)
			if err == nil && !at.uncertain() {
				at, err = renews(ctx, v.client, v.url(), name)
			}
			unsure := at.uncertain()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case unsure:
				uncertain++
			case err != nil:
				lost, why = lost+1, fmt.Sprintf("%s: %v", name, err)
			}
		})
	}
	work.Wait()
	return lost, uncertain, why
}

// tallied adds a scene to the closing line.
func (v *venue) tallied(c counted) tally {
	t := tally{renewals: c.renewals, lost: c.lost, doubleSpent: c.doubleSpent, stale: c.stale, declared: c.declared}
	if c.uncertain > v.damaged { // one whose reply is destroyed waits until the takeover is over
		v.problem("%d connections are uncertain at the end", c.uncertain)
	}
	if n := v.load.refused.Load(); n > 0 && c.lost == 0 && c.declared == 0 {
		v.problem("%d pulls were told that a person has to authorize again", n)
	}
	t.problems = v.problems
	return t
}

// close ends whatever the scene has left.
func (v *venue) close() {
	for _, h := range v.hubs {
		select {
		case <-h.exited:
		default:
			h.kill()
		}
	}
	for _, end := range v.after {
		end()
	}
	v.authority.Close()
}

// errNoStep is returned where a crash point was not reached.
var errNoStep = errors.New("the step was not reached")
