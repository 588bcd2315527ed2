package endpoint

import (
	"context"
	"time"
)

// mostPromise bounds how far ahead a slot is promised, because the caller may not return
// for it.
const mostPromise = 5 * time.Minute

// awaitRate waits for the next slot of the rate. The place is given back on an error.
func (l *Limiter) awaitRate(ctx context.Context, key Key, p permit) (permit, error) {
	at, err := l.reserve(key, p)
	if err != nil {
		return p, err
	}
	if wait := time.Until(at); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			l.leave(key, p, NotSent())
			return p, ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	e := l.endpoint(key, now)
	if e.circuit.open && p.epoch != e.circuit.epoch { // it opened during the wait
		e.refused++
		e.leave(now, p, NotSent())
		return p, &ClosedError{Key: key, Until: later(e.circuit.until, now), Cause: e.circuit.cause}
	}
	p.epoch = e.circuit.epoch
	e.requests++
	return p, nil
}

// reserve takes the next slot of the rate. Rejected callers are promised later slots,
// each its own, so that they do not all retry at once.
func (l *Limiter) reserve(key Key, p permit) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	e := l.endpoint(key, now)
	at := now.Add(e.slotWait(now))
	if at.Sub(now) > e.circuit.limits.MaxWait {
		e.promised = later(at, e.promised.Add(e.circuit.limits.interval()))
		if most := now.Add(mostPromise); e.promised.After(most) {
			e.promised = most
		}
		e.refused++
		e.leave(now, p, NotSent())
		return at, &ClosedError{Key: key, Until: e.promised, Cause: "its rate is used up", Busy: true}
	}
	e.rate.ReserveN(now, 1)
	return at, nil
}

// slotWait is how long the next slot of the rate is off. It takes none.
func (e *endpoint) slotWait(now time.Time) time.Duration {
	r := e.rate.ReserveN(now, 1)
	defer r.CancelAt(now)
	return r.DelayFrom(now)
}
