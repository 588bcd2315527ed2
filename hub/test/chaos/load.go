package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
)

// load are callers that pull from hubs, and what they got.
type load struct {
	client      client
	connections []string
	// hub returns the address to ask next.
	hub func() string
	// pause is between two pulls of a caller; zero pulls as fast as it goes.
	pause time.Duration
	// stale judges a token that was just received; nil judges nothing.
	stale func(p pulled, received time.Time) bool
	// denied is told of a connection that a person has to authorize again; nil
	// counts it in refused.
	denied func(connection string)

	pulls, failed, bad atomic.Int64
	// refused counts answers that say that a person has to authorize again, which
	// must never be while a grant lives.
	refused atomic.Int64

	mu     sync.Mutex
	sample string // one failure, for people
}

// run pulls with so many callers until enough says so.
func (l *load) run(ctx context.Context, callers int, enough func() bool) {
	var work sync.WaitGroup
	for range callers {
		work.Go(func() {
			for !enough() && ctx.Err() == nil {
				l.pull(ctx)
				if l.pause > 0 {
					_ = wait(ctx, l.pause)
				}
			}
		})
	}
	work.Wait()
}

func (l *load) pull(ctx context.Context) {
	name := l.connections[rand.IntN(len(l.connections))] //nolint:gosec // whom to ask is no secret
	p, err := l.client.pull(ctx, l.hub(), name)
	received := time.Now()
	if err == nil {
		l.pulls.Add(1)
		if l.stale != nil && l.stale(p, received) {
			l.bad.Add(1)
		}
		return
	}
	if ctx.Err() != nil {
		return
	}
	l.failed.Add(1)
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusConflict {
		if l.denied != nil {
			l.denied(name)
		} else {
			l.refused.Add(1)
		}
	}
	l.mu.Lock()
	l.sample = err.Error()
	l.mu.Unlock()
	// A hub that is away would be asked as fast as the processor can.
	select {
	case <-ctx.Done():
	case <-time.After(pace):
	}
}

// report adds what the callers found to a tally.
func (l *load) report(st *stage, t *tally, part string, took time.Duration) {
	t.stale += int(l.bad.Load())
	st.say("   %s: %d pulls in %s, %d without a token%s", part, l.pulls.Load(), took.Round(100*time.Millisecond), l.failed.Load(), l.said())
	if n := l.refused.Load(); n > 0 {
		t.problem("%s: %d pulls were told that a person has to authorize again: %s", part, n, l.sample)
	}
}

func (l *load) said() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sample == "" {
		return ""
	}
	return fmt.Sprintf(" (%.160s)", l.sample)
}

// onTheWay is how long an answer may take from the hub through a machine that has
// more to do than it can: a token that has expired meanwhile, as the hub said, was
// good when it was served.
const onTheWay = 500 * time.Millisecond

// staleAt judges by the server's own books.
func staleAt(a *authority.Server) func(pulled, time.Time) bool {
	return func(p pulled, received time.Time) bool {
		if a.Good(p.AccessToken, received) {
			return false
		}
		expired := received.Sub(p.ExpiresAt)
		return expired < 0 || expired > onTheWay
	}
}

// told is how long a hub may take from an answer to the moment at which no replica
// hands out the token that the answer has revoked.
const told = 5 * time.Second

// staleFairly judges by the server's books where hubs are frozen while they answer
// and answers of the server are late: a token is stale if it was over before the
// hub was asked, or if it was revoked by a renewal whose answer the hubs had in
// time, all being calm since. What a hub serves of a family that has ended is a
// matter of the grant, not of the token.
func staleFairly(a *authority.Server, calm func(from, to time.Time) bool) func(pulled, time.Time) bool {
	return func(p pulled, _ time.Time) bool {
		w, ok := a.Worth(p.AccessToken)
		switch {
		case !ok || !w.Ended && w.Expires.Before(p.asked):
			return true
		case w.Ended || w.Told.IsZero():
			return false
		}
		return w.Told.Add(told).Before(p.asked) && calm(w.Told, p.asked)
	}
}

// roundRobin asks one hub after the other.
func roundRobin(hubs []*hubProcess) func() string {
	var n atomic.Uint64
	return func() string { return hubs[n.Add(1)%uint64(len(hubs))].url }
}

// alive proves that every grant still lives: each connection is renewed once
// more. It returns how many could not be, with one reason.
func alive(ctx context.Context, c client, hub func() string, connections []string) (dead int, why string) {
	names := make(chan string)
	var mu sync.Mutex
	var work sync.WaitGroup
	for range 16 {
		work.Go(func() {
			for name := range names {
				if _, err := renews(ctx, c, hub(), name); err != nil {
					mu.Lock()
					dead, why = dead+1, name+": "+err.Error()
					mu.Unlock()
				}
			}
		})
	}
	for _, name := range connections {
		names <- name
	}
	close(names)
	work.Wait()
	return dead, why
}

// renews asks for one more renewal and returns how the connection then stands. One that failed for the moment, on a machine
// that has more to do than it can, has lost nothing and is asked for again, as is one that was the end of another.
func renews(ctx context.Context, c client, hub, name string) (after view, err error) {
	before, err := c.view(ctx, hub, name)
	if err != nil {
		return before, err
	}
	for try := 1; ; try++ {
		after, err = c.renew(ctx, hub, name)
		if err != nil || after.Generation > before.Generation {
			return after, err
		}
		if try == mostTries || after.LastError != nil && after.LastError.Kind != "transient" {
			return after, fmt.Errorf("the connection is %s after %d renewals were asked for", after, try)
		}
		if err := wait(ctx, time.Second); err != nil {
			return after, err
		}
	}
}

// mostTries bounds how often one more renewal is asked for.
const mostTries = 5

// names makes names of connections.
func names(prefix string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%s-%04d", prefix, i)
	}
	return list
}

// judge adds what the authorization server says, and proves that every grant
// lives.
func (t *tally) judge(ctx context.Context, a *authority.Server, c client, hub func() string, connections []string, part string) {
	dead, why := alive(ctx, c, hub, connections)
	v := a.Judge()
	t.renewals += v.Renewals
	t.doubleSpent += v.DoubleSpent
	t.lost += max(dead, len(v.Lost))
	if dead > 0 {
		t.problem("%s: %d connections cannot be renewed any more, for example %s", part, dead, why)
	}
	if len(v.Lost) > 0 {
		t.problem("%s: the family %s was ended; its log: %v", part, v.Lost[0], a.Log(v.Lost[0]))
	}
}
