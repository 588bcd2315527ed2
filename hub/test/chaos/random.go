package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// randomOptions are of the part random.
type randomOptions struct {
	// seed decides what happens; zero takes one of the time.
	seed uint64
	// long is how long it goes on; zero is the part's own time.
	long time.Duration
	// database is postgres, sqlite or both.
	database string
}

// check complains about options that cannot be.
func (o randomOptions) check() error {
	switch o.database {
	case "postgres", "sqlite", "both":
		return nil
	}
	return fmt.Errorf("-db is postgres, sqlite or both, not %q", o.database)
}

// random plays troubles that a seed decides on, at hubs whose connections renew all
// the time.
func random(ctx context.Context, st *stage) (tally, error) {
	o := st.random
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano() % 1_000_000_000)
	}
	if o.long == 0 {
		o.long = sized(st, 2*time.Minute, 18*time.Second)
	}
	st.say("   random: seed %d, for %s", o.seed, o.long)
	var mu sync.Mutex
	var all tally
	var failed error
	var work sync.WaitGroup
	for _, name := range []string{"postgres", "sqlite"} {
		if o.database != "both" && o.database != name {
			continue
		}
		work.Go(func() {
			s := newSite(st, name, o.seed, o.long)
			t, err := s.run(ctx)
			mu.Lock()
			defer mu.Unlock()
			all.add(t)
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", s.name, err))
			}
		})
	}
	work.Wait()
	if failed != nil || all.failed() {
		all.problem("random: to repeat it: -only=random -seed=%d -for=%s -db=%s", o.seed, o.long, o.database)
	}
	return all, failed
}

// Lives of access tokens in the part random.
const (
	shortestLife = 5 * time.Second
	longestLife  = 10 * time.Second
)

// latest is the longest time that an answer takes in the part random; the exchange
// budget of its hubs is longer.
func latest(st *stage) time.Duration { return sized(st, 40*time.Second, 12*time.Second) }

// run plays one site.
func (s *site) run(ctx context.Context) (tally, error) {
	if err := s.open(ctx); err != nil {
		s.close()
		return tally{}, err
	}
	defer s.close()
	s.authority.SetLives(shortestLife, longestLife)
	if dead, why := alive(ctx, s.client, s.anyURL, s.names); dead > 0 { // from now on everything is due all the time
		return tally{}, fmt.Errorf("%d connections do not renew before the troubles begin: %s", dead, why)
	}
	s.authority.SetManner(s.manner)
	pulling, enough := context.WithCancel(ctx)
	var work sync.WaitGroup
	s.load = &load{client: s.client, connections: s.names, hub: s.anyURL, stale: staleFairly(s.authority, s.chronicle.calm), denied: s.denied, pause: callersPause}
	work.Go(func() { s.load.run(pulling, 4, func() bool { return false }) })
	work.Go(func() { s.reauthorize(pulling) })
	begin := time.Now()
	err := s.troubles(ctx, begin.Add(s.long))
	s.authority.SetManner(nil)
	s.authority.SetAccessLife(time.Minute)
	if err == nil {
		err = s.calmDown(ctx)
	}
	enough()
	work.Wait()
	return s.judge(ctx, time.Since(begin)), err
}

// calmDown waits until every answer that is late has come.
func (s *site) calmDown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, latest(s.stage)+20*time.Second)
	defer cancel()
	for s.authority.Out() > 0 {
		if err := wait(ctx, pace); err != nil {
			return fmt.Errorf("%d requests stay out: %w", s.authority.Out(), err)
		}
	}
	return nil
}

// manner is what a request of a family meets; the seed, the family and the number
// of the request decide. An answer is lost for good only where a repeat is safe.
func (s *site) manner(r authority.Request) authority.Manner {
	dice := diceOf(s.seed, r.Family, r.Nth)
	ms := func(least, most int) time.Duration {
		return time.Duration(least+dice.IntN(most-least)) * time.Millisecond
	}
	m := authority.Manner{Until: s.stalled()}
	safe := r.Kind == provider.RotationNone || r.Kind == provider.RotationRotatesWithGrace
	switch p := dice.IntN(1000); {
	case p < 650:
		m.Delay = ms(0, 60)
	case p < 850:
		m.Delay = ms(60, 1500)
	case p < 930:
		m.Delay = ms(1500, 8000)
	case p < 950:
		m.Delay = ms(8000, int(latest(s.stage)/time.Millisecond))
	case p < 960:
		m.Stall = ms(2000, int(latest(s.stage)/time.Millisecond))
	case p < 970:
		m.Reset = true
	case p < 985:
		m.Refuse = []int{500, 502, 503, 504}[dice.IntN(4)]
	case p < 992 && safe:
		m.Lose = true
	case safe:
		m.Gateway = 504
	}
	return m
}
