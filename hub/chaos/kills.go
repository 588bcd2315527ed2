package main

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/evergrant/evergrant/hub/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// killEvery is the time between two deaths.
const killEvery = 700 * time.Millisecond

// kills is the race with hubs that die by SIGKILL at whatever moment, and are
// started again. The kinds are those where the protocol lets every grant be kept.
func kills(ctx context.Context, st *stage) (tally, error) {
	var t tally
	a, err := authority.Start(authority.Config{AccessLife: outageLife, Grace: time.Minute})
	if err != nil {
		return t, err
	}
	defer a.Close()
	perKind := sized(st, 150, 40)
	graceful, steady := names("kills-grace", perKind), names("kills-none", perKind)
	f, err := st.startFleet(ctx, "kills", 3, nil,
		chaosService(a.URL, provider.RotationRotatesWithGrace, graceful...), chaosService(a.URL, provider.RotationNone, steady...))
	if err != nil {
		return t, err
	}
	defer f.stop()
	connections := slices.Concat(graceful, steady)
	urls := make([]atomic.Value, len(f.hubs))
	for n, h := range f.hubs {
		urls[n].Store(h.url)
	}
	var turn atomic.Uint64
	hub := func() string {
		address, _ := urls[turn.Add(1)%uint64(len(urls))].Load().(string)
		return address
	}
	deaths := 0
	found, err := during{
		part: "kills", authority: a, client: f.client, connections: connections, hub: hub, patience: 2 * time.Minute,
		trouble: func(ctx context.Context) error {
			for end := time.Now().Add(sized(st, 45*time.Second, 4*time.Second)); time.Now().Before(end); deaths++ {
				n := deaths % len(f.hubs)
				f.hubs[n].kill()
				again, err := f.start(ctx, n)
				if err != nil {
					return err
				}
				f.hubs[n] = again
				if err := again.serves(ctx); err != nil {
					return err
				}
				urls[n].Store(again.url)
				if err := wait(ctx, killEvery); err != nil {
					return err
				}
			}
			return nil
		},
	}.run(ctx, st)
	t.add(found)
	st.say("   kills: hubs were killed %d times; %d renewals were repeats of one whose reply died with its hub", deaths, a.Judge().Repeats)
	return t, err
}
