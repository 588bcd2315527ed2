package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// Options of an Identity. Store and Journal are needed.
type Options struct {
	Store   *store.Store
	Journal *journal.Journal
	Logger  hclog.Logger
	// Name and Version describe the hub in the table of replicas.
	Name, Version string
	// Every is the time between two signs of life; 5 s.
	Every time.Duration
	// Beaten is called for each heartbeat that the database confirmed: its time, and when
	// it was requested and answered; optional. It must not block.
	Beaten func(ctx context.Context, database, asked, answered time.Time)
	// Noticed is called once for every Notice; optional. It must not block, nor call the
	// Identity except for Notices and DatabaseWentBack.
	Noticed func(Notice)
}

// missed is how many signs of life a replica may miss before it counts as stopped.
const missed = 3

// Identity is the identity of this hub. It is safe for concurrent use.
type Identity struct {
	o     Options
	log   hclog.Logger
	owner atomic.Pointer[string]
	// inFlight returns the connections that are being renewed; nil if not set.
	inFlight atomic.Pointer[func() []string]

	mu   sync.Mutex // held while the identity changes or beats
	self replicadb.Replica
	beat replicadb.Beat
	// waiting are runs that may be over: they are adopted once that is certain.
	waiting []waiting
	left    bool
	// confirmed is the database's time of the last confirmed sign of life.
	confirmed time.Time

	noticeMu sync.Mutex
	notices  []Notice
	back     *Back
}

// Enter registers this start of the hub and takes up what earlier runs left that are over
// for sure. Errors are the database's, or the folder's.
func Enter(ctx context.Context, o Options) (*Identity, error) {
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	i := &Identity{o: o, log: o.Logger}
	if err := i.enter(ctx); err != nil {
		return nil, fmt.Errorf("register this hub: %w", err)
	}
	return i, nil
}

// Owner is the owner name of this hub in leases and intents. It changes when the run is
// fenced.
func (i *Identity) Owner() string { return *i.owner.Load() }

// Self is this run as it is registered.
func (i *Identity) Self() replicadb.Replica {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.self
}

// SetInFlight sets the function that returns the connections being renewed, which a new
// identity takes over when another process has this one's.
func (i *Identity) SetInFlight(connections func() []string) { i.inFlight.Store(&connections) }

// enter takes the epoch after the folder's.
func (i *Identity) enter(ctx context.Context) error {
	mark := i.o.Journal.Mark()
	before, err := i.register(ctx, mark.Replica, mark.Epoch+1, mark.Epoch)
	if errors.Is(err, replicadb.ErrNewerEpoch) && i.ownUnnoted(before) {
		known := before[0].Epoch // its start was cut short before it reached the folder
		before, err = i.register(ctx, mark.Replica, known+1, known)
	}
	if errors.Is(err, replicadb.ErrNewerEpoch) {
		return i.enterAsNew(ctx, mark, before)
	}
	if err != nil {
		return err
	}
	i.compare(mark, before)
	return i.adopt(ctx, mark, before)
}

// ownUnnoted reports whether the newest run is of this very folder: it is over, and its
// epoch was not noted there.
func (i *Identity) ownUnnoted(before []replicadb.Replica) bool {
	place := i.o.Journal.Place()
	return len(before) > 0 && place != "" && before[0].Place == place
}

// register begins an epoch, in the database and then in the folder.
func (i *Identity) register(ctx context.Context, id string, epoch, known int64) ([]replicadb.Replica, error) {
	r := replicadb.Replica{ID: id, Epoch: epoch, Name: i.o.Name, Version: i.o.Version, Place: i.o.Journal.Place()}
	before, err := i.o.Store.Replicas.EnterReplica(ctx, r, known)
	if err != nil {
		return before, err
	}
	if err := i.o.Journal.SetMark(journal.Mark{Replica: id, Epoch: epoch}); err != nil {
		i.log.Error("write epoch to data folder failed, retrying", "error", err)
	}
	i.self, i.beat = r, replicadb.Beat{}
	i.owner.Store(new(r.Owner()))
	i.log.Info("replica registered", "replica", r.ID, "epoch", r.Epoch, "name", r.Name)
	return before, nil
}

// Run gives signs of life until ctx ends.
func (i *Identity) Run(ctx context.Context) {
	ticker := time.NewTicker(i.o.Every)
	defer ticker.Stop()
	moved := make(chan struct{}, 1)
	i.o.Journal.OnMoved(func() { // the next start has to know the place by then
		select {
		case moved <- struct{}{}:
		default:
		}
	})
	for {
		if err := i.Confirm(ctx); err != nil && ctx.Err() == nil {
			i.log.Warn("heartbeat failed, retrying", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-moved:
		case <-ticker.C:
		}
	}
}

// Confirm gives a sign of life now. A run that was fenced has a new identity afterwards.
// Errors are the database's.
func (i *Identity) Confirm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*i.o.Every)
	defer cancel()
	asked, answered, now, err := i.giveSign(ctx)
	if err == nil && !now.IsZero() && i.o.Beaten != nil {
		i.o.Beaten(ctx, now, asked, answered)
	}
	return err
}

// giveSign returns the database's time; zero if there was no request.
func (i *Identity) giveSign(ctx context.Context) (asked, answered, now time.Time, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.left {
		return
	}
	i.beat.Tried++
	i.beat.Place = i.o.Journal.Place()
	asked = time.Now()
	now, err = i.o.Store.Replicas.Heartbeat(ctx, i.self.Owner(), i.beat)
	answered = time.Now()
	if errors.Is(err, store.ErrFenced) {
		return asked, answered, time.Time{}, i.replace(ctx)
	}
	if err != nil {
		return asked, answered, time.Time{}, err
	}
	i.beat.Acked, i.self.Place, i.confirmed = i.beat.Tried, i.beat.Place, now
	mark := journal.Mark{Replica: i.self.ID, Epoch: i.self.Epoch, Beat: i.beat.Acked}
	if err := i.o.Journal.SetMark(mark); err != nil {
		i.log.Warn("write heartbeat to data folder failed, retrying", "error", err)
	}
	return asked, answered, now, i.adoptWaiting(ctx, now)
}

// Leave records that this run is over, so that the next start from this folder need not
// wait. The hub calls it when nothing is in flight any more.
func (i *Identity) Leave(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.left = true
	return i.o.Store.Replicas.LeaveReplica(ctx, i.self.Owner())
}
