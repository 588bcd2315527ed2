package main

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// between is the time between the ends of two hubs.
const between = 700 * time.Millisecond

// kills is the race with hubs that die by SIGKILL at whatever moment, and are
// started again. The kinds are those where the protocol lets every grant be kept.
func kills(ctx context.Context, st *stage) (tally, error) {
	return st.turnOver(ctx, "kills", (*hubProcess).kill, provider.RotationRotatesWithGrace, provider.RotationNone)
}

// rolling is the race with hubs that are stopped as for an upgrade: what is in
// flight is finished, so no kind may lose anything, and no lease is left behind.
func rolling(ctx context.Context, st *stage) (tally, error) {
	return st.turnOver(ctx, "rolling", (*hubProcess).stop, provider.RotationRotates, provider.RotationRotatesWithGrace)
}

// turnOver ends one hub after the other and starts it again while they renew
// connections of some kinds.
func (st *stage) turnOver(ctx context.Context, part string, end func(*hubProcess), kinds ...provider.RotationKind) (tally, error) {
	var t tally
	a, err := authority.Start(authority.Config{AccessLife: outageLife, Grace: time.Minute})
	if err != nil {
		return t, err
	}
	defer a.Close()
	var services []wanted
	var connections []string
	for _, kind := range kinds {
		services = append(services, chaosService(a.URL, kind, names(part+"-"+slug(string(kind)), sized(st, 150, 40))...))
		connections = slices.Concat(connections, services[len(services)-1].connections)
	}
	f, err := st.startFleet(ctx, part, 3, nil, services...)
	if err != nil {
		return t, err
	}
	defer f.stop()
	addresses := make([]atomic.Value, len(f.hubs))
	for n, h := range f.hubs {
		addresses[n].Store(h.url)
	}
	var turn atomic.Uint64
	ends, held := 0, 0
	found, err := during{
		part: part, authority: a, client: f.client, connections: connections, recoveryTimeout: 2 * time.Minute,
		hub: func() string {
			address, _ := addresses[turn.Add(1)%uint64(len(addresses))].Load().(string)
			return address
		},
		trouble: func(ctx context.Context) error {
			for over := time.Now().Add(sized(st, 45*time.Second, 4*time.Second)); time.Now().Before(over); ends++ {
				n := ends % len(f.hubs)
				end(f.hubs[n])
				if part == "rolling" {
					left, err := f.leasesOf(ctx, n)
					if err != nil {
						return err
					}
					held += left
				}
				if f.hubs[n], err = f.start(ctx, n); err != nil {
					return err
				}
				if err := f.hubs[n].serves(ctx); err != nil {
					return err
				}
				addresses[n].Store(f.hubs[n].url)
				if err := wait(ctx, between); err != nil {
					return err
				}
			}
			return nil
		},
	}.run(ctx, st)
	t.add(found)
	st.say("   %s: %d hubs were ended and started again; %d renewals were repeats of one whose reply was lost with its hub", part, ends, a.Judge().Repeats)
	if part == "rolling" && a.Judge().Repeats > 0 {
		t.problem("rolling: a hub that was stopped did not finish what was in flight")
	}
	if held > 0 {
		t.problem("rolling: hubs that were stopped left %d leases that nobody uses", held)
	}
	return t, err
}
