package restored

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// Options of a Hold.
type Options struct {
	Store    *store.Store
	Newest   *newest.Keeper
	Identity *identity.Identity
	Logger   hclog.Logger
	// Wait is how long replicas are waited for at most; 10 min.
	Wait time.Duration
	// Every is the time between two looks; 5 s.
	Every time.Duration
}

// Comparison is what came of holding the newest token sets against the database.
type Comparison struct {
	// Forwarded counts the connections that were brought forward.
	Forwarded int
	// Lost is set if a token set was newer that the database had once confirmed.
	Lost bool
	// Later are connections of which a later authorization is known than the database's.
	Later []string
}

// Parts are what a Hold works with once they are there.
type Parts struct {
	// Compare holds this replica's newest token sets against the database.
	Compare func(ctx context.Context) (Comparison, error)
	// Publish writes the withdrawals that the restore has undone for this replica.
	Publish func(ctx context.Context) error
}

// Hold keeps rotating renewals from beginning after the database went back. It is safe for
// concurrent use.
type Hold struct {
	o     Options
	log   hclog.Logger
	parts Parts
	wake  chan struct{}

	// notices counts what was noticed, handled what of it was looked at; lost is when a row was
	// read last that was older than a token set of this hub, and nil if none was since.
	notices, handled atomic.Int64
	lost             atomic.Pointer[time.Time]
	// listed are the grants that are behind the backup and undecided, by connection.
	listed atomic.Pointer[map[string]grantdb.Generation]

	mu       sync.Mutex // held while it looks
	at       replicadb.Restores
	listedAt time.Time // when the list was read, by the database's clock
	// seen is the newest restore that the folder has recorded, compared the last one that
	// this run has compared for.
	seen, compared string
	// comparedAt is when this run has compared last.
	comparedAt time.Time
	// run is the run that the file of newest token sets has recorded.
	run string
	// back is the last notice of the identity that was looked at.
	back identity.Back
	held atomic.Bool
}

// New returns a Hold that holds nothing yet.
func New(o Options) *Hold {
	if o.Wait <= 0 {
		o.Wait = 10 * time.Minute
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	h := &Hold{o: o, log: o.Logger, wake: make(chan struct{}, 1)}
	h.listed.Store(&map[string]grantdb.Generation{})
	return h
}

// Holds returns what keeps a connection from being renewed: a restore that is not
// compared yet, or that the connection is behind the backup; "" if nothing does.
func (h *Hold) Holds(c connection.Connection) connection.CauseKind {
	switch {
	case !c.Policy.Rotates():
		return ""
	case h.Held():
		return connection.CauseRestored
	case (*h.listed.Load())[c.ID] == grantdb.Generation{Generation: c.Generation, Lineage: c.Lineage}:
		return connection.CauseBehind
	}
	return ""
}

// Held reports whether rotating renewals are held until replicas have compared.
func (h *Hold) Held() bool { return h.held.Load() || h.notices.Load() > h.handled.Load() }

// Listed counts the grants that wait for a decision because they may be behind the backup,
// as far as this replica has looked.
func (h *Hold) Listed() int {
	if h.Held() {
		return 0 // not known yet
	}
	return len(*h.listed.Load())
}

// Notice has a restore looked for at once; until then rotating renewals are held. It does
// not wait.
func (h *Hold) Notice() {
	h.notices.Add(1)
	h.Wake()
}

// NoticeLost is Notice for a token set that was found newer than a row, read at a time,
// that the database had confirmed once. Many rows show one restore: a row that was read
// before this hub had compared is not another one.
func (h *Hold) NoticeLost(read time.Time) {
	h.lost.Store(&read)
	h.Notice()
}

// Wake has Run look at once.
func (h *Hold) Wake() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Run looks until ctx ends. changed returns what is closed when another replica has begun,
// ended or decided something.
func (h *Hold) Run(ctx context.Context, changed func() (happened <-chan struct{}, forget func())) {
	ticker := time.NewTicker(h.o.Every)
	defer ticker.Stop()
	for {
		happened, forget := changed()
		if err := h.Look(ctx); err != nil && ctx.Err() == nil {
			h.log.Warn("check for a database restore failed, retrying", "error", err)
		}
		select {
		case <-ctx.Done():
			forget()
			return
		case <-happened:
		case <-h.wake:
		case <-ticker.C:
		}
		forget()
	}
}

// Enter looks whether the database went back while this hub was down. It comes before
// anything is renewed or replayed.
func (h *Hold) Enter(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.read(ctx); err != nil {
		return err
	}
	if err := h.ofFile(ctx); err != nil {
		return err
	}
	cause, id, err := h.atStart(ctx)
	if err != nil || cause == "" {
		return err
	}
	return h.begin(ctx, cause, id)
}

// Entered notes what the comparison of the start has shown.
func (h *Hold) Entered(ctx context.Context, parts Parts, done Comparison) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parts = parts
	if done.Lost {
		h.lost.Store(new(time.Now()))
	}
	return h.look(ctx, &done)
}

// Look notices a restore, compares if another replica has noticed one, and ends the hold
// when all have compared.
func (h *Hold) Look(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.parts.Compare == nil {
		return nil // this hub is starting
	}
	return h.look(ctx, nil)
}

func (h *Hold) look(ctx context.Context, done *Comparison) error {
	notices := h.notices.Load()
	if err := errors.Join(h.read(ctx), h.runs(ctx)); err != nil {
		return err
	}
	if err := h.notice(ctx); err != nil {
		return err
	}
	if h.at.Newest.ID != "" && h.compared != h.at.Newest.ID {
		if err := h.compare(ctx, done); err != nil {
			return err
		}
	}
	if err := h.end(ctx); err != nil {
		return err
	}
	h.held.Store(h.at.Newest.Held())
	h.handled.Store(notices)
	return nil
}

// readAgain is how often the list is read without a decision: grants that were authorized
// again leave it by themselves.
const readAgain = time.Minute

// read brings up to date what is known of the database.
func (h *Hold) read(ctx context.Context) error {
	before := h.at
	at, err := h.o.Store.Replicas.Restores(ctx)
	if err != nil {
		return err
	}
	h.at = at
	same := before.Listed == at.Listed && before.LastDecided.Equal(at.LastDecided) && before.Newest == at.Newest
	if same && (at.Listed == 0 || at.Now.Sub(h.listedAt).Abs() < readAgain) {
		return nil
	}
	if at.Newest.Held() {
		h.held.Store(true)
	}
	return h.readList(ctx)
}

// readList reads what is listed. While the hold lasts the candidates are in it as well.
func (h *Hold) readList(ctx context.Context) error {
	all, err := h.o.Store.Replicas.Behind(ctx, 0)
	if err != nil {
		return err
	}
	listed := make(map[string]grantdb.Generation, len(all))
	for _, b := range all {
		listed[b.ConnectionID] = b.Key()
	}
	h.listed.Store(&listed)
	h.listedAt = h.at.Now
	return nil
}

// compare brings forward the token sets of this replica, and records that it has. done is
// the result of the comparison at the start; nil has it made now.
func (h *Hold) compare(ctx context.Context, done *Comparison) error {
	id := h.at.Newest.ID
	known := h.seen == id && !h.at.Newest.Held()
	if done == nil {
		c, err := h.parts.Compare(ctx)
		if err != nil {
			return fmt.Errorf("compare the newest token sets with the database: %w", err)
		}
		done = &c
	}
	if known && done.Forwarded == 0 { // long over
		h.compared = id
		return nil
	}
	if len(done.Later) > 0 {
		if err := h.o.Store.Replicas.AddBehind(ctx, id, done.Later); err != nil {
			return err
		}
	}
	if err := h.o.Store.Replicas.Compared(ctx, id, h.o.Identity.Self(), done.Forwarded); err != nil {
		return err
	}
	h.log.Info("newest token sets compared with the database", "brought_forward", done.Forwarded)
	h.compared, h.comparedAt = id, time.Now()
	if err := h.sees(ctx, id); err != nil {
		return err
	}
	return h.read(ctx)
}

// end ends the hold when all replicas have compared, or the time for it is over.
func (h *Hold) end(ctx context.Context) error {
	r := h.at.Newest
	if !r.Held() || h.at.Waiting > 0 && h.at.Now.Before(r.Until) {
		return nil
	}
	complete, err := h.complete(ctx, r)
	if err != nil {
		return err
	}
	ended, listed, err := h.o.Store.Replicas.EndRestore(ctx, r.ID, complete && h.at.Waiting == 0)
	if err != nil {
		return err
	}
	if ended && h.at.Waiting > 0 {
		h.log.Error("database restore: timed out waiting for replicas, rotating renewals resumed; newer token sets of the missing replicas may be lost",
			"missing", h.at.Waiting, "behind_the_backup", listed)
	} else if ended {
		h.log.Warn("database restore: all replicas compared, rotating renewals resumed", "behind_the_backup", listed)
	}
	return h.read(ctx)
}
