package endpoint

import (
	"context"
	"time"
)

// mostPromise bounds how far away a turn is promised: who was sent away may not
// come back for it.
const mostPromise = 5 * time.Minute

// turn waits for the turn by the rate. The place is given back on an error.
func (g *Gate) turn(ctx context.Context, key Key, p pass) (pass, error) {
	at, err := g.reserve(key, p)
	if err != nil {
		return p, err
	}
	if wait := time.Until(at); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			g.leave(key, p, NotSent())
			return p, ctx.Err()
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	e := g.endpoint(key, now)
	if e.circuit.open && p.epoch != e.circuit.epoch { // it opened during the wait
		e.refused++
		e.leave(now, p, NotSent())
		return p, &ClosedError{Key: key, Until: later(e.circuit.until, now), Cause: e.circuit.cause}
	}
	p.epoch = e.circuit.epoch
	e.requests++
	return p, nil
}

// reserve takes the next turn by the rate. Those who are sent away are promised
// later ones, each its own, so that they do not come back all together.
func (g *Gate) reserve(key Key, p pass) (time.Time, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	e := g.endpoint(key, now)
	spacing := e.circuit.limits.spacing()
	at := later(now, e.nextTurn)
	if spacing == 0 {
		return now, nil
	}
	if at.Sub(now) > e.circuit.limits.MaxWait {
		e.promised = later(at, e.promised.Add(spacing))
		if most := now.Add(mostPromise); e.promised.After(most) {
			e.promised = most
		}
		e.refused++
		e.leave(now, p, NotSent())
		return at, &ClosedError{Key: key, Until: e.promised, Cause: "its rate is used up", Busy: true}
	}
	e.nextTurn = at.Add(spacing)
	return at, nil
}
