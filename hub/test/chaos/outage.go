package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// outageLife is the life of access tokens while something is away: every
// connection is due several times.
const outageLife = 6 * time.Second

// callersPause leaves the processor to those that are in trouble.
const callersPause = 5 * time.Millisecond

// during runs trouble while callers pull, and then awaits that every connection
// has been renewed again without hands.
type during struct {
	part        string
	authority   *authority.Server
	client      client
	connections []string
	hub         func() string
	// recoveryTimeout bounds the recovery.
	recoveryTimeout time.Duration
	// trouble returns when all is well again.
	trouble func(context.Context) error
}

// run returns what was found.
func (d during) run(ctx context.Context, st *stage) (tally, error) {
	var t tally
	l := &load{client: d.client, connections: d.connections, hub: d.hub, stale: staleAt(d.authority), pause: callersPause}
	pulling, enough := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { l.run(pulling, 8, func() bool { return false }) })
	begin := time.Now()
	err := d.trouble(ctx)
	healed := time.Now()
	var slowest time.Duration
	if err == nil {
		slowest, err = d.recovered(ctx, healed)
	}
	enough()
	work.Wait()
	l.report(st, &t, d.part, time.Since(begin))
	if err != nil {
		t.lost += len(d.authority.Judge().Lost)
		return t, fmt.Errorf("no recovery without hands: %w", err)
	}
	st.say("   %s: every connection was renewed again without hands, the last one %s after the end of the trouble", d.part, slowest.Round(100*time.Millisecond))
	t.judge(ctx, d.authority, d.client, d.hub, d.connections, d.part)
	return t, nil
}

// recovered waits until each connection has a token set that was issued after
// the trouble, and returns when the last one had.
func (d during) recovered(ctx context.Context, healed time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, d.recoveryTimeout)
	defer cancel()
	for _, name := range d.connections {
		p, err := d.firstPull(ctx, name)
		if err != nil {
			return 0, err
		}
		family := authority.FamilyOf(p.AccessToken)
		if err := issuedAfter(ctx, d.authority, family, healed); err != nil {
			v, _ := d.client.view(context.WithoutCancel(ctx), d.hub(), name)
			return 0, fmt.Errorf("%s is %s: %w", name, v, err)
		}
	}
	return time.Since(healed), nil
}

// firstPull pulls until there is a token.
func (d during) firstPull(ctx context.Context, name string) (pulled, error) {
	for {
		p, err := d.client.pull(ctx, d.hub(), name)
		if err == nil {
			return p, nil
		}
		select {
		case <-ctx.Done():
			return p, fmt.Errorf("%s: %w", name, err)
		case <-time.After(pace):
		}
	}
}

func issuedAfter(ctx context.Context, a *authority.Server, family string, at time.Time) error {
	for {
		if a.IssuedSince(family, at) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no renewal in time: %w", ctx.Err())
		case <-time.After(pace):
		}
	}
}

// wait lets an outage last.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// startOutage starts an authority and hubs for an outage of the database.
func (st *stage) startOutage(ctx context.Context, name string, address func(*postgres) string) (*authority.Server, *fleet, []string, error) {
	connections := names(strings.TrimPrefix(name, "outage-"), sized(st, 200, 60))
	a, err := authority.Start(authority.Config{AccessLife: outageLife, Grace: time.Minute})
	if err != nil {
		return nil, nil, nil, err
	}
	f, err := st.startFleet(ctx, name, 2, address, chaosService(a.URL, provider.RotationRotates, connections...))
	if err != nil {
		a.Close()
	}
	return a, f, connections, err
}

// outagePostgres stops the server while renewals are on their way.
func outagePostgres(ctx context.Context, st *stage) (tally, error) {
	a, f, connections, err := st.startOutage(ctx, "outage-postgres", nil)
	if err != nil {
		return tally{}, err
	}
	defer a.Close()
	defer f.stop()
	away := sized(st, 30*time.Second, 4*time.Second)
	return during{
		part: "outage-postgres", authority: a, client: f.client, connections: connections, hub: roundRobin(f.hubs), recoveryTimeout: 2 * time.Minute,
		trouble: func(ctx context.Context) error {
			if err := stopInTheMiddle(ctx, a, f.postgres); err != nil {
				return err
			}
			before := a.Judge().Renewals
			if err := wait(ctx, away); err != nil {
				return err
			}
			st.say("   outage-postgres: away for %s; %d renewals were answered while it was", away, a.Judge().Renewals-before)
			return f.postgres.start(ctx)
		},
	}.run(ctx, st)
}

// stopInTheMiddle stops the server while a token request is being served: its
// intent is committed, its outcome is not.
func stopInTheMiddle(ctx context.Context, a *authority.Server, p *postgres) error {
	var once sync.Once
	var err error
	stopped := make(chan struct{})
	a.SetFault(authority.Fault{Before: func() {
		once.Do(func() {
			err = p.stop(ctx)
			close(stopped)
		})
		<-stopped
	}})
	select {
	case <-stopped:
	case <-ctx.Done():
		return ctx.Err()
	}
	a.SetFault(authority.Fault{})
	return err
}

// outageNetwork breaks the connections to the server in every way.
func outageNetwork(ctx context.Context, st *stage) (tally, error) {
	var between *proxy
	var broken error
	a, f, connections, err := st.startOutage(ctx, "outage-network", func(p *postgres) string {
		if between, broken = startProxy(fmt.Sprintf("127.0.0.1:%d", p.port)); broken != nil {
			return ""
		}
		return postgresURL(between.port, "evergrant")
	})
	if err != nil || broken != nil {
		return tally{}, fmt.Errorf("%w %w", err, broken)
	}
	defer a.Close()
	defer f.stop()
	defer between.close()
	return during{
		part: "outage-network", authority: a, client: f.client, connections: connections, hub: roundRobin(f.hubs), recoveryTimeout: 2 * time.Minute,
		trouble: func(ctx context.Context) error {
			err := shake(ctx, between, sized(st, 30*time.Second, 5*time.Second))
			st.say("   outage-network: %d connections to PostgreSQL were broken", between.broken.Load())
			return err
		},
	}.run(ctx, st)
}

// shake cuts, resets, delays and refuses in turn.
func shake(ctx context.Context, p *proxy, long time.Duration) error {
	end := time.Now().Add(long)
	for n := 0; time.Now().Before(end); n++ {
		p.breakSome(0.5, n%2 == 0)
		p.delay.Store(int64(n % 3 * 20 * int(time.Millisecond)))
		p.refusing.Store(n%5 == 4)
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	p.delay.Store(0)
	p.refusing.Store(false)
	return nil
}
