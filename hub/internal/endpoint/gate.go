package endpoint

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/bounded"
)

// Options of a Gate.
type Options struct {
	// Limits hold for every endpoint that Of does not name.
	Limits Limits
	// Of are limits of single endpoints, by key or by host ("oauth.bitrix.info").
	Of map[string]Limits
	// Replica spreads the probes of replicas; its name.
	Replica string
}

// Gate lets requests to endpoints in. It is safe for concurrent use.
type Gate struct {
	o Options

	mu        sync.Mutex
	endpoints map[Key]*endpoint
	learned   *bounded.Map[string, Key] // by service
}

// endpoint is what a Gate knows of one endpoint.
type endpoint struct {
	circuit  circuit
	inFlight int
	waiting  []*waiter // first come, first served
	// nextTurn is the first turn that the rate leaves.
	nextTurn time.Time
	// promised is the last turn that somebody was sent away for.
	promised time.Time
	used     time.Time

	requests, refused, failed int64
}

// waiter waits for a place. granted is closed once it has one, or is to be sent
// away; then closed says why.
type waiter struct {
	granted chan struct{}
	pass    pass
	closed  *ClosedError
}

// pass is what entitles a request.
type pass struct {
	epoch int
	probe bool
}

// New returns a Gate.
func New(o Options) *Gate {
	return &Gate{o: o, endpoints: map[Key]*endpoint{}, learned: bounded.New[string, Key](maxLearned)}
}

// Enter waits for a turn at an endpoint. The caller makes its request and calls
// done once with the Outcome; further calls do nothing. Errors: *ClosedError, at
// once or when the circuit opens during the wait; ctx's error.
func (g *Gate) Enter(ctx context.Context, key Key) (done func(Outcome), err error) {
	p, err := g.place(ctx, key)
	if err != nil {
		return nil, err
	}
	if p, err = g.turn(ctx, key, p); err != nil {
		return nil, err
	}
	var once sync.Once
	return func(o Outcome) { once.Do(func() { g.leave(key, p, o) }) }, nil
}

// place waits until fewer than the cap are in flight.
func (g *Gate) place(ctx context.Context, key Key) (pass, error) {
	g.mu.Lock()
	now := time.Now()
	e := g.endpoint(key, now)
	if len(e.waiting) == 0 && (e.circuit.open || e.inFlight < e.circuit.inFlight(now)) {
		p, closed := e.enter(now)
		g.mu.Unlock()
		if closed != nil {
			return p, closed
		}
		return p, nil
	}
	w := &waiter{granted: make(chan struct{})}
	e.waiting = append(e.waiting, w)
	g.mu.Unlock()
	select {
	case <-w.granted:
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		if i := slices.Index(e.waiting, w); i >= 0 {
			e.waiting = slices.Delete(e.waiting, i, i+1)
			return pass{}, ctx.Err()
		}
		if w.closed == nil { // granted at the same moment
			e.leave(time.Now(), w.pass, NotSent())
		}
		return pass{}, ctx.Err()
	}
	if w.closed != nil {
		return pass{}, w.closed
	}
	return w.pass, nil
}

func (g *Gate) leave(key Key, p pass, o Outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.endpoint(key, now).leave(now, p, o)
}

// enter takes a place, unless the circuit is open.
func (e *endpoint) enter(now time.Time) (pass, *ClosedError) {
	probe, closed := e.circuit.admit(now)
	if closed != nil {
		e.refused++
		return pass{}, closed
	}
	e.inFlight++
	return pass{epoch: e.circuit.epoch, probe: probe}, nil
}

// leave gives a place back, and hands it to those who wait.
func (e *endpoint) leave(now time.Time, p pass, o Outcome) {
	e.inFlight--
	e.note(now, p, o)
	e.admitWaiting(now)
}

func (e *endpoint) note(now time.Time, p pass, o Outcome) {
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
		w.pass, w.closed = e.enter(now)
		close(w.granted)
	}
}

// Observe tells the outcome of a request that did not enter: one that a person
// waits for. It can open the circuit, but not close it.
func (g *Gate) Observe(key Key, o Outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	e := g.endpoint(key, now)
	e.note(now, pass{epoch: e.circuit.epoch}, o)
	e.admitWaiting(now)
}

// Late tells the outcome of a request whose turn was given back before it ended. An
// answer shows that the endpoint works, as a probe's does, for it was asked in turn.
func (g *Gate) Late(key Key, o Outcome) {
	if o.kind != answered {
		g.Observe(key, o)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	e := g.endpoint(key, now)
	e.circuit.answered(now, true)
	e.admitWaiting(now)
}

// Closed says whether an endpoint is left alone now, without asking for a turn:
// what Enter would return at once. Nil if a request may try to enter.
func (g *Gate) Closed(key Key) *ClosedError {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.endpoints[key]
	if now := time.Now(); !ok || !e.circuit.open || !e.circuit.probing && !now.Before(e.circuit.until) {
		return nil
	}
	return &ClosedError{Key: key, Until: later(e.circuit.until, time.Now()), Cause: e.circuit.cause}
}

// Room is how many may enter now without a wait: what the scheduler should claim
// for an endpoint at most. It is zero while the circuit is open or the rate is
// used up for MaxWait.
func (g *Gate) Room(key Key) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	e, ok := g.endpoints[key]
	if !ok {
		return g.limits(key).InFlight
	}
	if e.nextTurn.Sub(now) > e.circuit.limits.MaxWait {
		return 0
	}
	return max(0, e.circuit.inFlight(now)-e.inFlight-len(e.waiting))
}

func (g *Gate) limits(key Key) Limits {
	l := g.o.Limits
	if of, ok := g.o.Of[string(key)]; ok {
		l = of
	} else if of, ok := g.o.Of[key.Host()]; ok {
		l = of
	}
	l = l.withDefaults()
	if key.isUnlearned() {
		l.InFlight = min(l.InFlight, unlearnedInFlight)
	}
	return l
}

// maxKept bounds the endpoints that are remembered: a plugin may put a name into
// a path.
const maxKept = 4096

func (g *Gate) endpoint(key Key, now time.Time) *endpoint {
	e, ok := g.endpoints[key]
	if !ok {
		if len(g.endpoints) >= maxKept {
			g.dropIdle(now)
		}
		if len(g.endpoints) >= maxKept {
			g.dropLeastUsed()
		}
		e = &endpoint{circuit: circuit{key: key, seed: g.o.Replica, limits: g.limits(key)}}
		g.endpoints[key] = e
	}
	e.used = now
	return e
}

// dropIdle forgets endpoints that are well and unused for a minute.
func (g *Gate) dropIdle(now time.Time) {
	for key, e := range g.endpoints {
		if e.inFlight == 0 && len(e.waiting) == 0 && e.circuit.openings == 0 && now.Sub(e.used) > time.Minute {
			delete(g.endpoints, key)
		}
	}
}

// dropLeastUsed forgets the endpoint that was used the longest ago and that nobody is
// at; what its circuit knew is learned again. If somebody is at each of them, the
// requests that are under way bound how many there are.
func (g *Gate) dropLeastUsed() {
	var oldest *endpoint
	for _, e := range g.endpoints {
		if e.inFlight == 0 && len(e.waiting) == 0 && (oldest == nil || e.used.Before(oldest.used)) {
			oldest = e
		}
	}
	if oldest != nil {
		delete(g.endpoints, oldest.circuit.key)
	}
}
