// Package bulk carries out an act on many connections, one after another in small
// groups, and keeps what came of each.
//
// The walk: Begin writes the run with its connections and works on it in the
// background. A run whose hub died is found by Resume on any replica and goes on with
// what still waits; acts that were done are done again at most for the group that was
// under way, and each of them may be done twice.
package bulk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// The acts.
const (
	Renew  = "renew"
	Pause  = "pause"
	Take   = "resume"
	Tag    = "tag"
	Untag  = "untag"
	Delete = "delete"
)

const (
	// Most is how many connections a run may have.
	Most = 100_000
	// group is how many are worked on at one time.
	group = 16
	// abandoned is how long nobody works on a run before another replica does.
	abandoned = time.Minute
	// actTimeout bounds one act.
	actTimeout = time.Minute
)

// Options of a Runner.
type Options struct {
	Store     *store.Store
	Catalogue *catalogue.Catalogue
	Source    *tokensource.Source
	Audit     *audit.Log
	Logger    hclog.Logger
}

// Runner works on runs. It is safe for concurrent use.
type Runner struct {
	o    Options
	life context.Context
	end  context.CancelFunc
	work sync.WaitGroup
}

// New returns a Runner; Close ends its work.
func New(o Options) *Runner {
	r := &Runner{o: o}
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

// Close stops after the group that is under way. The rest goes on later, here or on
// another replica.
func (r *Runner) Close() {
	r.end()
	r.work.Wait()
}

// Begin starts an act on the connections that a filter chooses, and returns the run's
// id and how many they are.
func (r *Runner) Begin(ctx context.Context, act, argument string, f store.Filter) (id string, n int, err error) {
	actor := audit.From(ctx)
	run := store.BulkRun{ID: store.NewID(), Act: act, Argument: argument, Actor: actor.Name, Address: actor.Address, CreatedAt: time.Now()}
	if n, err = r.o.Store.CreateBulkRun(ctx, run, f, Most); err != nil {
		return "", 0, err
	}
	r.o.Audit.Record(ctx, "bulk."+act, audit.Object{Kind: "bulk_run", Name: run.ID}, "connections", fmt.Sprint(n), "argument", argument)
	r.work.Go(func() { r.carryOut(run) })
	return run.ID, n, nil
}

// Resume takes over runs on which nobody works any more. It is called every so often.
func (r *Runner) Resume(ctx context.Context) error {
	for {
		now := time.Now()
		run, err := r.o.Store.AbandonedBulkRun(ctx, now.Add(-abandoned), now)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		r.work.Go(func() { r.carryOut(run) })
	}
}

// carryOut works on a run until nothing of it waits.
func (r *Runner) carryOut(run store.BulkRun) {
	ctx := audit.With(r.life, audit.Actor{Kind: audit.KindPerson, Name: run.Actor, Address: run.Address})
	for ctx.Err() == nil {
		items, err := r.o.Store.WaitingBulkItems(ctx, run.ID, group, time.Now())
		if err == nil && len(items) == 0 {
			err = r.o.Store.FinishBulkRun(ctx, run.ID, time.Now())
			if err == nil {
				return
			}
		}
		if err != nil {
			r.o.Logger.Error("an act on many connections cannot go on; it is taken up again later", "run", run.ID, "error", err)
			return
		}
		var working sync.WaitGroup
		for _, item := range items {
			working.Go(func() { r.one(ctx, run, item) })
		}
		working.Wait()
	}
}

// one does the act to one connection and keeps what came of it.
func (r *Runner) one(ctx context.Context, run store.BulkRun, item store.BulkItem) {
	acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	item.State = store.BulkDone
	if err := r.act(acting, run, item.ConnectionID); err != nil {
		item.State, item.Message = store.BulkFailed, err.Error()
	}
	if err := r.o.Store.FinishBulkItem(acting, run.ID, item); err != nil {
		r.o.Logger.Error("the result of an act on a connection could not be kept", "run", run.ID, "connection", item.Name, "error", err)
	}
}

func (r *Runner) act(ctx context.Context, run store.BulkRun, id string) (err error) {
	switch run.Act {
	case Renew:
		return r.renew(ctx, id)
	case Pause:
		_, err = r.o.Catalogue.Pause(ctx, id)
	case Take:
		_, err = r.o.Catalogue.Resume(ctx, id)
	case Tag:
		err = r.o.Store.AddTag(ctx, id, run.Argument)
	case Untag:
		err = r.o.Store.RemoveTag(ctx, id, run.Argument)
	case Delete:
		revoked, deleteErr := r.o.Catalogue.Delete(ctx, id)
		if err = deleteErr; err == nil && revoked.Err != nil {
			err = fmt.Errorf("deleted here, but the service could not be told: %w", revoked.Err)
		}
	default:
		err = errors.New("there is no such act")
	}
	return err
}

func (r *Runner) renew(ctx context.Context, id string) error {
	before, err := r.o.Store.Connection(ctx, id)
	if err != nil {
		return err
	}
	after, err := r.o.Source.RenewWithin(ctx, before, tokensource.UsualWait)
	switch {
	case err != nil:
		return err
	case after.Generation > before.Generation:
		return nil
	case after.Failure != nil:
		return errors.New(after.Failure.Message)
	}
	return errors.New("it cannot be renewed as it stands")
}
