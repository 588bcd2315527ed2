package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// act is a trouble that the seed has decided on.
type act struct {
	what trouble
	slot int
	// long is how long somebody is frozen or away.
	long time.Duration
	mode string // of the end of the database
}

// odds say how often each trouble is drawn.
var odds = []struct {
	what  trouble
	share int
}{
	{hubKilled, 10}, {hubFrozen, 25}, {pluginStopped, 20}, {pluginKilled, 15}, {hubStopped, 10}, {databaseDown, 10}, {endpointStalls, 10},
}

// next draws what happens next and how long nothing does before it.
func (s *site) next() (a act, gap time.Duration) {
	seconds := func(least, most float64) time.Duration {
		return time.Duration((least + s.dice.Float64()*(most-least)) * float64(time.Second))
	}
	drawn := s.dice.IntN(100)
	for _, o := range odds {
		if drawn -= o.share; drawn < 0 {
			a.what = o.what
			break
		}
	}
	a.slot, a.mode = s.dice.IntN(len(s.slots)), []string{"immediate", "fast"}[s.dice.IntN(2)]
	switch a.what {
	case hubFrozen, pluginStopped:
		a.long = seconds(1, 12)
	case endpointStalls:
		a.long = seconds(2, latest(s.stage).Seconds()/2)
	default:
		a.long = seconds(0, 3)
	}
	return a, seconds(0.3, 4)
}

// troubles go on until end and are over when it returns. One whose hub is in
// trouble already is left out.
func (s *site) troubles(ctx context.Context, end time.Time) error {
	var mu sync.Mutex
	var failed error
	var work sync.WaitGroup
	for {
		a, gap := s.next()
		if time.Now().Add(gap).After(end) {
			break
		}
		if err := wait(ctx, gap); err != nil {
			failed = err
			break
		}
		work.Go(func() {
			if err := s.trouble(ctx, a); err != nil {
				mu.Lock()
				failed = errors.Join(failed, fmt.Errorf("%s: %w", a.what, err))
				mu.Unlock()
			}
		})
	}
	work.Wait()
	return failed
}

// trouble plays one.
func (s *site) trouble(ctx context.Context, a act) error {
	switch a.what {
	case databaseDown:
		return s.databaseAway(ctx, a)
	case endpointStalls:
		s.chronicle.begin(endpointStalls, "", fmt.Sprintf("for %.1f s", a.long.Seconds()))()
		s.stallUntil.Store(time.Now().Add(a.long).UnixNano())
		return nil
	}
	p := s.slots[a.slot]
	if !p.busy.TryLock() {
		return nil
	}
	defer p.busy.Unlock()
	switch a.what {
	case hubKilled:
		return s.killed(ctx, p, a.long)
	case hubStopped:
		return s.stopped(ctx, p, a.long)
	case hubFrozen:
		return s.frozen(ctx, p, a, p.hub.all())
	case pluginStopped:
		return s.frozen(ctx, p, a, p.hub.plugins())
	default:
		defer s.chronicle.begin(pluginKilled, p.name, "")()
		signalAll(p.hub.plugins(), syscall.SIGKILL)
		return nil
	}
}

func (s *site) killed(ctx context.Context, p *slot, away time.Duration) error {
	defer s.chronicle.begin(hubKilled, p.name, "")()
	p.hub.kill()
	s.inquest(p)
	s.roster.leave(p.hub.cmd.Process.Pid)
	if err := wait(ctx, away); err != nil {
		return err
	}
	return s.start(ctx, p)
}

// stopped stops a hub as a service manager does. It has to wait for what is out.
func (s *site) stopped(ctx context.Context, p *slot, away time.Duration) error {
	defer s.chronicle.begin(hubStopped, p.name, "")()
	if !p.hub.stopWithin(randomTimes().shutdown + 10*time.Second) {
		s.problem("%s did not stop in its time", p.name)
	}
	s.roster.leave(p.hub.cmd.Process.Pid)
	if err := wait(ctx, away); err != nil {
		return err
	}
	return s.start(ctx, p)
}

func (s *site) frozen(ctx context.Context, p *slot, a act, pids []int) error {
	defer s.chronicle.begin(a.what, p.name, "")()
	signalAll(pids, sigstop)
	err := wait(ctx, a.long)
	signalAll(pids, sigcont)
	return err
}

func (s *site) databaseAway(ctx context.Context, a act) error {
	if s.postgres == nil || !s.away.TryLock() {
		return nil
	}
	defer s.away.Unlock()
	defer s.chronicle.begin(databaseDown, "", a.mode)()
	if err := s.postgres.end(ctx, a.mode); err != nil {
		return err
	}
	if err := wait(ctx, a.long); err != nil {
		return err
	}
	return s.postgres.start(ctx)
}
