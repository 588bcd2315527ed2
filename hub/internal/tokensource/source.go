package tokensource

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/hub/internal/changes"
	"github.com/evergrant/evergrant/hub/internal/clock"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/restored"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tracing"
)

// Options of a Source. Zero times get defaults.
type Options struct {
	Store  *store.Store
	Runner *operation.Runner
	// Exchanger is the Runner's; it bounds how long exchanges may take.
	Exchanger *exchange.Exchanger
	Journal   *journal.Journal
	// Newest keeps the newest token set of each rotating grant beside the journal; nil
	// keeps none.
	Newest *newest.Keeper
	// Identity is the owner name of this hub in leases and intents. A new identity asks
	// the Source for what is in flight.
	Identity *identity.Identity
	// Clock is the time of the database; nil is this hub's own clock.
	Clock *clock.Clock
	// Held returns the cause that keeps the renewal of a connection on hold; "" if there
	// is none. Optional.
	Held func(c connection.Connection) connection.CauseKind
	// WentBack is called when a token set of this hub is newer than a row of the database
	// that had confirmed it, with the time when the row was read; optional. It must not
	// block.
	WentBack func(read time.Time)
	// Changes wakes callers that wait for another replica's renewal.
	Changes *changes.Notifier
	// Limiter limits the requests to each token endpoint.
	Limiter *endpoint.Limiter
	Logger  hclog.Logger
	// Attempted is called for each renewal that has ended, after its outcome was saved;
	// optional. It must not block.
	Attempted func(Attempt)
	// Waited is called with how long a caller waited for a renewal that another caller
	// had begun, in this hub or in another; optional. It must not block.
	Waited func(took time.Duration, otherHub bool)
	// Copied is called with how long after its journal entry a reply was in the database
	// as well; optional. It must not block.
	Copied func(after time.Duration)
	// Moved is called when a service names another account after a renewal, as part of the
	// transaction that saves it; optional.
	Moved func(context.Context, AccountMoved) error
	// SecretWorks is called when a renewal was answered with the other client secret of a
	// service, after the service had refused the one that was sent first; svc has the
	// working one as its current secret. Optional; it is called beside the renewal.
	SecretWorks func(ctx context.Context, svc service.Service) error
	// NoCopies keeps replies out of the database: where the journal's disk outlives its
	// hub in any case, they cost more than they gain.
	NoCopies bool
	// Lease is how long a renewal holds a connection unless it extends it; 1 min.
	Lease time.Duration
	// Takeover is how long a renewal that cannot be repeated safely waits for
	// the replica that began it, in any case longer than its exchange may take; 15 min.
	Takeover time.Duration
}

// Source hands out tokens. It is safe for concurrent use.
type Source struct {
	store     *store.Store
	runner    *operation.Runner
	exchanger *exchange.Exchanger
	journal   *journal.Journal
	newest    *newest.Keeper
	limiter   *endpoint.Limiter
	changes   *changes.Notifier
	log       hclog.Logger
	identity  *identity.Identity
	clock     *clock.Clock
	held      func(c connection.Connection) connection.CauseKind
	wentBack  func(read time.Time)
	found     restored.Comparison // of the start
	lease     time.Duration
	takeover  time.Duration
	attempted func(Attempt)
	waited    func(took time.Duration, otherHub bool)
	copied    func(after time.Duration)
	moved     func(context.Context, AccountMoved) error
	works     func(ctx context.Context, svc service.Service) error
	noCopies  bool
	// slow counts the exchanges that are out without a permit at their endpoint.
	slow atomic.Int32

	// life ends when the hub stops; detached work runs in it.
	life context.Context
	end  context.CancelFunc
	work sync.WaitGroup
	// tidying ends when Close begins: no renewal is recovered after that.
	tidying context.Context
	endTidy context.CancelFunc

	cache cache
	early early

	mu      sync.Mutex
	flights map[string]*flight              // bounded by the renewals in flight
	touched *bounded.Map[string, time.Time] // of the last noted pull, by connection
	// identified is when a service was last asked for the account of a grant, by
	// connection.
	identified *bounded.Map[string, time.Time]
}

// New returns a Source. Call Close to wait for renewals in flight.
func New(o Options) *Source {
	s := &Source{
		store: o.Store, runner: o.Runner, exchanger: o.Exchanger, journal: o.Journal, newest: o.Newest, limiter: o.Limiter, changes: o.Changes, log: o.Logger, identity: o.Identity, clock: o.Clock, held: o.Held, wentBack: o.WentBack,
		lease: orDefault(o.Lease, time.Minute), takeover: orDefault(o.Takeover, 15*time.Minute), noCopies: o.NoCopies,
		flights: map[string]*flight{}, touched: bounded.New[string, time.Time](maxTouched), identified: bounded.New[string, time.Time](maxTouched), cache: newCache(maxCached),
	}
	if s.changes == nil {
		s.changes = &changes.Notifier{}
	}
	if s.attempted = o.Attempted; s.attempted == nil {
		s.attempted = func(Attempt) {}
	}
	if s.copied = o.Copied; s.copied == nil {
		s.copied = func(time.Duration) {}
	}
	if s.waited = o.Waited; s.waited == nil {
		s.waited = func(time.Duration, bool) {}
	}
	if s.moved = o.Moved; s.moved == nil {
		s.moved = func(context.Context, AccountMoved) error { return nil }
	}
	if s.works = o.SecretWorks; s.works == nil {
		s.works = func(context.Context, service.Service) error { return nil }
	}
	s.life, s.end = context.WithCancel(context.Background())
	if s.clock == nil {
		s.clock = clock.New(clock.Options{})
	}
	if s.held == nil {
		s.held = func(connection.Connection) connection.CauseKind { return "" }
	}
	if s.wentBack == nil {
		s.wentBack = func(time.Time) {}
	}
	s.identity.SetInFlight(s.allFlying)
	s.tidying, s.endTidy = context.WithCancel(s.life)
	return s
}

// Owner is the owner name of this hub in leases and intents. It changes when the hub is
// fenced.
func (s *Source) Owner() string { return s.identity.Owner() }

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// Close waits for renewals in flight until ctx ends, then abandons them; the caller ends
// the Exchanger as well. Replies that arrived are in the journal.
func (s *Source) Close(ctx context.Context) {
	s.endTidy()
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	s.end()
	<-done
}

// Leave releases every lease that is left, so that the other replicas need not wait for
// them to expire. The hub calls it last: no renewal runs any more.
func (s *Source) Leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.store.Renewals.FreeLeasesOf(ctx, s.Owner()); err != nil {
		s.log.Warn("release leases on shutdown failed, they will expire", "error", err)
	}
}

// Pulled is what a process gets.
type Pulled struct {
	Connection connection.Connection
	// Trouble is set if renewal fails while the token is still valid.
	Trouble *connection.Failure
}

// UsualWait is how long a pull waits for a renewal that its token needs, unless it
// requests another wait.
const UsualWait = 10 * time.Second

// Token returns an access token that is valid for at least minTTL, as far as its service
// issues such tokens. It waits for a renewal for at most wait, and less if there is a
// valid token to return; the renewal continues without it. Errors: store.ErrNotFound,
// *RefusedError.
func (s *Source) Token(ctx context.Context, name string, minTTL, wait time.Duration) (*Pulled, error) {
	c, err := s.store.Grants.ConnectionByName(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.Serve(ctx, c, minTTL, wait)
}

// Serve is Token for a connection that was just read.
func (s *Source) Serve(ctx context.Context, c connection.Connection, minTTL, wait time.Duration) (*Pulled, error) {
	c, begunAt, err := s.current(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.serve(ctx, c, begunAt, minTTL, wait)
}

// serve is Serve, where a renewal may have begun at a time and not be saved yet; see
// store.PullRow.
func (s *Source) serve(ctx context.Context, c connection.Connection, begunAt time.Time, minTTL, wait time.Duration) (*Pulled, error) {
	now := s.clock.Latest()
	if err := refusal(c, now); err != nil {
		return nil, err
	}
	if c.Enough(now, minTTL) && !begunAt.IsZero() && c.EndsWithRenewal() {
		var err error
		if c, err = s.settled(ctx, c, begunAt, wait); err != nil {
			return nil, err
		}
		now = s.clock.Latest()
		if err := refusal(c, now); err != nil {
			return nil, err
		}
	}
	if c.Enough(now, minTTL) {
		return &Pulled{Connection: c, Trouble: c.Trouble()}, nil
	}
	may, again := c.MayRenew(now)
	if may && s.knownHeld(c, now) {
		may, again = false, c.Due
	}
	closed := s.limiter.Closed(s.limiter.KeyFor(c.ServiceID))
	if may && closed != nil {
		again = closed.Until // no request is sent while the circuit is open
	} else if may {
		renewed, err := s.await(ctx, c, wait)
		if err != nil && (ctx.Err() != nil || !c.Tokens.Valid(s.clock.Latest())) {
			return nil, err
		}
		if err == nil {
			c = renewed
		}
		now = s.clock.Latest()
		_, again = c.MayRenew(now)
	}
	if c.Tokens.Valid(now) && c.State != connection.StatePaused && c.State != connection.StateRevoked {
		return &Pulled{Connection: c, Trouble: c.Trouble()}, nil
	}
	if err := refusal(c, now); err != nil {
		return nil, err
	}
	return nil, waiting(c, now, again, closed)
}

// longestWait is how long a pull waits for a renewal while there is a valid
// token to hand out: a service that hangs must not hold the process up.
const longestWait = 3 * time.Second

// await waits for the renewal of a connection as long as its caller does, but not for
// long while there is a valid token.
func (s *Source) await(ctx context.Context, c connection.Connection, wait time.Duration) (renewed connection.Connection, err error) {
	ctx, span := tracing.Start(ctx, "wait for the renewal")
	defer func() { tracing.End(span, outcome(renewed, err)) }()
	if c.Tokens.Valid(s.clock.Latest().Add(longestWait)) {
		wait = min(wait, longestWait)
	}
	return s.within(ctx, c, wait, func(ctx context.Context) (connection.Connection, error) {
		return s.Renew(ctx, c.ID, c.Generation)
	})
}

// within waits for a renewal for a time; one that is still in flight then results in a
// *RefusedError with InProgress.
func (s *Source) within(ctx context.Context, c connection.Connection, wait time.Duration, renew func(context.Context) (connection.Connection, error)) (connection.Connection, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	renewed, err := renew(waiting)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return c, s.inProgress(ctx, c)
	}
	return renewed, err
}

// RenewWithin is RenewNow with a bounded wait. Errors: as RenewNow, and *RefusedError
// with InProgress if the service has not answered by then; the renewal continues.
func (s *Source) RenewWithin(ctx context.Context, c connection.Connection, wait time.Duration) (connection.Connection, error) {
	return s.within(ctx, c, wait, func(ctx context.Context) (connection.Connection, error) {
		return s.RenewNow(ctx, c.ID, c.Generation)
	})
}

// Renew gets the token set after the given generation: by a renewal of this hub or of
// another replica, whichever is first. It returns the connection in its resulting state,
// which may show a failure. Errors are of the store, of ctx, or that another replica
// holds the lease of the connection for too long.
func (s *Source) Renew(ctx context.Context, id string, after int64) (connection.Connection, error) {
	return s.join(ctx, id, func(ctx context.Context, f *flight) (connection.Connection, error) {
		return s.renew(ctx, f, id, after, false)
	})
}

// RenewClaimed is Renew for a connection that Store.ClaimDue has just returned to the
// owner of this Source. It returns early, with the connection as it was, when the service
// takes long to answer: the renewal continues in the background.
func (s *Source) RenewClaimed(ctx context.Context, c connection.Connection) (connection.Connection, error) {
	return s.launch(ctx, c, func(ctx context.Context, f *flight) (connection.Connection, error) { return s.renewClaimed(ctx, f, c) })
}

// RenewNow is Renew on request: waiting times are ignored, except that nothing is sent
// while the service may still be answering an earlier request.
func (s *Source) RenewNow(ctx context.Context, id string, after int64) (connection.Connection, error) {
	for {
		mine := false
		c, err := s.join(ctx, id, func(ctx context.Context, f *flight) (connection.Connection, error) {
			mine = true
			return s.renew(ctx, f, id, after, true)
		})
		if err != nil || mine || c.Generation > after || c.Generation == after && c.Failure != nil {
			return c, err
		}
		// The joined renewal was that of a generation before.
	}
}

// Used notes that a process was handed the token of a connection and will use it, where
// use extends its lifetime. c is the connection as it was served.
func (s *Source) Used(ctx context.Context, c connection.Connection) {
	if !c.Sliding() {
		return
	}
	if used, worth := c.Used(s.Now()); worth {
		if err := s.store.Grants.SaveUse(ctx, used); err != nil {
			s.log.Warn("record use of sliding token failed, shown expiry is too early", "connection", c.Name, "error", err)
		}
	}
}

// TouchPulled notes that a connection was pulled, at most once a minute.
func (s *Source) TouchPulled(ctx context.Context, id string) {
	now := time.Now()
	s.mu.Lock()
	if last, ok := s.touched.Get(id); ok && now.Sub(last) < time.Minute {
		s.mu.Unlock()
		return
	}
	s.touched.Put(id, now)
	s.mu.Unlock()
	if err := s.store.Grants.TouchPulled(ctx, id, now); err != nil {
		s.log.Warn("record pull time failed", "connection", id, "error", err)
	}
}
