package endpoint

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/evergrant/evergrant/hub/internal/bounded"
)

// Options of a Limiter.
type Options struct {
	// Limits hold for every endpoint that Of does not name.
	Limits Limits
	// Of are limits of single endpoints, by key or by host ("oauth.bitrix.info").
	Of map[string]Limits
	// Replica spreads the probes of replicas; its name.
	Replica string
}

// Limiter lets requests to endpoints in. It is safe for concurrent use.
type Limiter struct {
	o Options

	mu        sync.Mutex
	endpoints map[Key]*endpoint
	learned   *bounded.Map[string, Key] // by service
}

// endpoint is the state that a Limiter keeps of one endpoint.
type endpoint struct {
	circuit  circuit
	inFlight int
	waiting  []*waiter // first come, first served
	// rate gives out the slots of Limits.PerSecond, each alone; without one it does not wait.
	rate *rate.Limiter
	// promised is the last slot that a rejected caller was promised.
	promised time.Time
	used     time.Time

	requests, refused, failed int64
}

// waiter waits for a permit. granted is closed once it has one, or is to be rejected;
// then closed holds the reason.
type waiter struct {
	granted chan struct{}
	permit  permit
	closed  *ClosedError
}

// permit is what entitles a request.
type permit struct {
	epoch int
	probe bool
}

// New returns a Limiter.
func New(o Options) *Limiter {
	return &Limiter{o: o, endpoints: map[Key]*endpoint{}, learned: bounded.New[string, Key](maxLearned)}
}

// Enter waits for a permit of an endpoint. The caller makes its request and calls
// done once with the Outcome; further calls do nothing. Errors: *ClosedError, at
// once or when the circuit opens during the wait; ctx's error.
func (l *Limiter) Enter(ctx context.Context, key Key) (done func(Outcome), err error) {
	p, err := l.place(ctx, key)
	if err != nil {
		return nil, err
	}
	if p, err = l.awaitRate(ctx, key, p); err != nil {
		return nil, err
	}
	var once sync.Once
	return func(o Outcome) { once.Do(func() { l.leave(key, p, o) }) }, nil
}

// place waits until fewer than the cap are in flight.
func (l *Limiter) place(ctx context.Context, key Key) (permit, error) {
	l.mu.Lock()
	now := time.Now()
	e := l.endpoint(key, now)
	if len(e.waiting) == 0 && (e.circuit.open || e.inFlight < e.circuit.inFlight(now)) {
		p, closed := e.enter(now)
		l.mu.Unlock()
		if closed != nil {
			return p, closed
		}
		return p, nil
	}
	w := &waiter{granted: make(chan struct{})}
	e.waiting = append(e.waiting, w)
	l.mu.Unlock()
	select {
	case <-w.granted:
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		if i := slices.Index(e.waiting, w); i >= 0 {
			e.waiting = slices.Delete(e.waiting, i, i+1)
			return permit{}, ctx.Err()
		}
		if w.closed == nil { // granted at the same moment
			e.leave(time.Now(), w.permit, NotSent())
		}
		return permit{}, ctx.Err()
	}
	if w.closed != nil {
		return permit{}, w.closed
	}
	return w.permit, nil
}

func (l *Limiter) leave(key Key, p permit, o Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.endpoint(key, now).leave(now, p, o)
}

// enter takes a place, unless the circuit is open.
func (e *endpoint) enter(now time.Time) (permit, *ClosedError) {
	probe, closed := e.circuit.admit(now)
	if closed != nil {
		e.refused++
		return permit{}, closed
	}
	e.inFlight++
	return permit{epoch: e.circuit.epoch, probe: probe}, nil
}

// leave returns a permit, and passes it to the next waiter.
func (e *endpoint) leave(now time.Time, p permit, o Outcome) {
	e.inFlight--
	e.note(now, p, o)
	e.admitWaiting(now)
}

func (e *endpoint) note(now time.Time, p permit, o Outcome) {
	if o.kind == failed || o.kind == throttled {
		e.failed++
	}
	e.circuit.outcome(now, p.epoch, p.probe, o)
}

// admitWaiting lets in as many as there is room for. When the circuit is open,
// all are sent away: they are better off coming back at a time of their own.
func (e *endpoint) admitWaiting(now time.Time) {
	for len(e.waiting) > 0 && (e.circuit.open || e.inFlight < e.circuit.inFlight(now)) {
		w := e.waiting[0]
		e.waiting = e.waiting[1:]
		w.permit, w.closed = e.enter(now)
		close(w.granted)
	}
}

// Observe reports the outcome of a request without a permit: one that a person waits for.
// It can open the circuit, but not close it.
func (l *Limiter) Observe(key Key, o Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	e := l.endpoint(key, now)
	e.note(now, permit{epoch: e.circuit.epoch}, o)
	e.admitWaiting(now)
}

// Late reports the outcome of a request whose permit was returned before it ended. An
// answer shows that the endpoint works, as a probe's does, because it was sent with a
// permit.
func (l *Limiter) Late(key Key, o Outcome) {
	if o.kind != answered {
		l.Observe(key, o)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	e := l.endpoint(key, now)
	e.circuit.answered(now, true)
	e.admitWaiting(now)
}

// Closed returns what Enter would return at once, without taking a permit. Nil if a
// request may enter.
func (l *Limiter) Closed(key Key) *ClosedError {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.endpoints[key]
	if now := time.Now(); !ok || !e.circuit.open || !e.circuit.probing && !now.Before(e.circuit.until) {
		return nil
	}
	return &ClosedError{Key: key, Until: later(e.circuit.until, time.Now()), Cause: e.circuit.cause}
}

// Room is how many may enter now without a wait: what the scheduler should claim
// for an endpoint at most. It is zero while the circuit is open or the rate is
// used up for MaxWait.
func (l *Limiter) Room(key Key) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	e, ok := l.endpoints[key]
	if !ok {
		return l.limits(key).InFlight
	}
	if e.slotWait(now) > e.circuit.limits.MaxWait {
		return 0
	}
	return max(0, e.circuit.inFlight(now)-e.inFlight-len(e.waiting))
}

func (l *Limiter) limits(key Key) Limits {
	limits := l.o.Limits
	if of, ok := l.o.Of[string(key)]; ok {
		limits = of
	} else if of, ok := l.o.Of[key.Host()]; ok {
		limits = of
	}
	limits = limits.withDefaults()
	if key.isUnlearned() {
		limits.InFlight = min(limits.InFlight, unlearnedInFlight)
	}
	return limits
}

// maxKept bounds the endpoints that are remembered: a plugin may put a name into
// a path.
const maxKept = 4096

func (l *Limiter) endpoint(key Key, now time.Time) *endpoint {
	e, ok := l.endpoints[key]
	if !ok {
		if len(l.endpoints) >= maxKept {
			l.dropIdle(now)
		}
		if len(l.endpoints) >= maxKept {
			l.dropLeastUsed()
		}
		limits := l.limits(key)
		e = &endpoint{circuit: circuit{key: key, seed: l.o.Replica, limits: limits}, rate: limits.rate()}
		l.endpoints[key] = e
	}
	e.used = now
	return e
}

// dropIdle drops healthy endpoints that were unused for a minute.
func (l *Limiter) dropIdle(now time.Time) {
	for key, e := range l.endpoints {
		if e.inFlight == 0 && len(e.waiting) == 0 && e.circuit.openings == 0 && now.Sub(e.used) > time.Minute {
			delete(l.endpoints, key)
		}
	}
}

// dropLeastUsed drops the least recently used endpoint without requests in flight; the
// state of its circuit builds up again. If every endpoint has requests in flight, those
// bound how many endpoints there are.
func (l *Limiter) dropLeastUsed() {
	var oldest *endpoint
	for _, e := range l.endpoints {
		if e.inFlight == 0 && len(e.waiting) == 0 && (oldest == nil || e.used.Before(oldest.used)) {
			oldest = e
		}
	}
	if oldest != nil {
		delete(l.endpoints, oldest.circuit.key)
	}
}
