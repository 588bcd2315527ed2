package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// scenesAtOnce is how many scenes go side by side: most of their time they wait.
const scenesAtOnce = 6

// world plays every scene.
func world(ctx context.Context, st *stage) (tally, error) {
	if err := st.buildClockHub(ctx); err != nil {
		return tally{}, err
	}
	p, err := st.startPostgres(ctx, "world-postgres")
	if err != nil {
		return tally{}, err
	}
	defer func() { _ = p.stop(context.WithoutCancel(ctx)) }()
	var mu sync.Mutex
	var all tally
	var failed error
	var rows []row
	var work sync.WaitGroup
	free := make(chan struct{}, scenesAtOnce)
	perform := func(s scene, on *postgres) {
		free <- struct{}{}
		work.Go(func() {
			defer func() { <-free }()
			t, c, err := st.perform(ctx, s, on)
			if skip, ok := errors.AsType[skipError](err); ok {
				st.say("   world %s: SKIPPED: %v", s.name, skip)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			rows = append(rows, row{s, on != nil, c})
			all.add(t)
			failed = errors.Join(failed, err)
		})
	}
	for _, s := range scenes() {
		if !strings.HasPrefix(s.name, st.scene) || s.long && st.short {
			continue
		}
		if s.on != onSQLite && st.random.database != "sqlite" {
			perform(s, p)
		}
		if (s.on == onSQLite || s.on == onBoth && !st.short) && st.random.database != "postgres" {
			perform(s, nil)
		}
	}
	work.Wait()
	if st.reliability != "" && failed == nil && !all.failed() {
		failed = writeBetween(st.reliability, worldBegins, worldEnds, func(before string) []byte { return worldTable(rows, before) })
	}
	return all, failed
}

// perform plays a scene on a database and says what it counted.
func (st *stage) perform(ctx context.Context, s scene, on *postgres) (tally, counted, error) {
	ctx, cancel := context.WithTimeout(ctx, sceneBound)
	defer cancel()
	if s.on == onOwnPostgres {
		own, err := st.startPostgres(ctx, s.name+"-postgres")
		if err != nil {
			return tally{}, counted{}, err
		}
		defer func() { _ = own.stop(context.WithoutCancel(ctx)) }()
		on = own
		if s.steps {
			if err := own.fakeClock(ctx, st.faketime); err != nil {
				return tally{}, counted{}, err
			}
		}
	}
	v, err := st.openVenue(ctx, s, on)
	if err != nil {
		return tally{}, counted{}, fmt.Errorf("%s: %w", s.name, err)
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
	return v.tallied(c), c, nil
}

// sceneBound is more than the longest scene takes.
const sceneBound = 4 * time.Minute

// counted is what came of a scene.
type counted struct {
	grants, lost, doubleSpent, stale, uncertain, declared, renewals int
	// remark is what the scene has seen beside that.
	remark string
}

// String is the line of a scene.
func (c counted) String() string {
	s := fmt.Sprintf("%d grants, %d lost, %d double-spent, %d stale, %d uncertain at the end", c.grants, c.lost, c.doubleSpent, c.stale, c.uncertain)
	if c.declared > 0 {
		s += fmt.Sprintf("; %d ended as nobody can help", c.declared)
	}
	if c.remark != "" {
		s += "; " + c.remark
	}
	return s
}
