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
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// The acts.
const (
	Renew = "renew"
	Pause = "pause"
	Take  = "resume"
	Tag   = "tag"
	Untag = "untag"
	// Revoke revokes grants. Delete moves connections into the trash, and DeleteRevoke
	// revokes their grants first. PutBack restores connections from the trash, under the
	// names that they had, and Remove removes them from it permanently.
	Revoke       = "revoke"
	Delete       = "delete"
	DeleteRevoke = "delete_revoke"
	PutBack      = "put_back"
	Remove       = "remove"
	// Links sends the owners of connections links to authorize again.
	Links = "links"
	// Import adds connections with grants that were obtained elsewhere. BeginImport begins it.
	Import = "import"
	// TryOnce renews what is behind a backup after all, and SendLinks gives it up, so that
	// people are sent links to authorise it again. Decide begins them.
	TryOnce   = store.DecideTryOnce
	SendLinks = store.DecideSendLinks
)

const (
	// Most is how many connections a run may have.
	Most = 100_000
	// group is how many are worked on at one time.
	group = 16
	// abandoned is how long a run has no progress before another replica takes it over.
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
	// Decided is called after a decision about grants behind a backup, so that it takes
	// effect at once.
	Decided func(ctx context.Context) error
	// SendLinks sends the links of connections and returns the result of each by id.
	SendLinks func(ctx context.Context, ids []string) (map[string]escalation.LinkSent, error)
	Logger    hclog.Logger
}

// Runner works on runs. It is safe for concurrent use.
type Runner struct {
	o    Options
	life context.Context
	end  context.CancelFunc
	work sync.WaitGroup
	// tables are the rows of imports in progress, by the runs' ids: they hold tokens, so
	// they are stored nowhere else.
	tables sync.Map
}

// New returns a Runner; Close ends its work.
func New(o Options) *Runner {
	r := &Runner{o: o}
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

// Close stops after the group in progress. The rest continues later, here or on another
// replica.
func (r *Runner) Close() {
	r.end()
	r.work.Wait()
}

// Begin starts an act on the connections that a filter chooses, and returns the run's
// id and how many they are.
func (r *Runner) Begin(ctx context.Context, act, argument string, f store.Filter) (id string, n int, err error) {
	if id, n, err = r.begin(ctx, act, argument, f); err != nil {
		return "", 0, err
	}
	r.o.Audit.Record(ctx, "bulk."+act, audit.Object{Kind: "bulk_run", Name: id}, "connections", fmt.Sprint(n), "argument", argument)
	return id, n, nil
}

// begin is Begin without its record. The work begins after the commit.
func (r *Runner) begin(ctx context.Context, act, argument string, f store.Filter) (id string, n int, err error) {
	actor := audit.From(ctx)
	run := store.BulkRun{ID: store.NewID(), Act: act, Argument: argument, Actor: actor.Name, Address: actor.Address, CreatedAt: time.Now()}
	if n, err = r.o.Store.CreateBulkRun(ctx, run, f, Most); err != nil {
		return "", 0, err
	}
	r.o.Store.AfterCommit(ctx, func() { r.work.Go(func() { r.carryOut(run) }) })
	return run.ID, n, nil
}

// Decide has grants that are behind a backup tried once, or ended so that links are sent,
// by name; nil is all of them. Grants that are not listed any more are left out: n may be
// 0, and there is no run then. It takes effect after the commit, and is not recorded here.
func (r *Runner) Decide(ctx context.Context, names []string, decision string) (id string, n int, err error) {
	decided, d, err := r.o.Store.DecideBehind(ctx, names, decision, audit.From(ctx).Name)
	if err != nil || len(decided) == 0 {
		return "", 0, err
	}
	r.o.Store.AfterCommit(ctx, func() {
		if err := r.o.Decided(ctx); err != nil {
			r.o.Logger.Error("look at decisions about grants behind a backup failed, retrying", "error", err)
		}
	})
	return r.begin(ctx, decision, "", store.Filter{Decided: &d})
}

// Cancel leaves alone what of a run still waits. Errors: store.ErrNotFound for a run that is
// over.
func (r *Runner) Cancel(ctx context.Context, id string) error {
	err := r.o.Store.CancelBulkRun(ctx, id, time.Now())
	if err == nil {
		r.o.Audit.Record(ctx, "bulk.cancel", audit.Object{Kind: "bulk_run", Name: id})
	}
	return err
}

// Resume takes over abandoned runs. It is called periodically.
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
	most := group
	if run.Act == Links {
		most = linksGroup
	}
	for ctx.Err() == nil {
		items, err := r.o.Store.WaitingBulkItems(ctx, run.ID, most, time.Now())
		if err == nil && len(items) == 0 {
			err = r.o.Store.FinishBulkRun(ctx, run.ID, time.Now())
			if err == nil {
				return
			}
		}
		if err != nil {
			r.o.Logger.Error("bulk operation interrupted, will resume", "run", run.ID, "error", err)
			return
		}
		if run.Act == Links {
			r.links(ctx, run, items)
			continue
		}
		if run.Act == Import {
			r.importRows(ctx, run, items)
			continue
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
		item.State, item.Message = store.BulkFailed, message(err)
	}
	r.keep(acting, run, item)
}

// keep records what came of an act on a connection.
func (r *Runner) keep(ctx context.Context, run store.BulkRun, item store.BulkItem) {
	r.o.Audit.Record(ctx, "connection."+run.Act, audit.Object{Kind: "connection", Name: item.Name},
		"id", item.ConnectionID, "run", run.ID, "argument", run.Argument, "outcome", outcomeOf(item))
	if err := r.o.Store.FinishBulkItem(ctx, run.ID, item); err != nil {
		r.o.Logger.Error("save bulk operation result failed", "run", run.ID, "connection", item.Name, "error", err)
	}
}

func outcomeOf(item store.BulkItem) string {
	if item.State == store.BulkDone {
		return "done"
	}
	return "failed: " + item.Message
}

func (r *Runner) act(ctx context.Context, run store.BulkRun, id string) (err error) {
	switch run.Act {
	case Renew, TryOnce:
		return r.renew(ctx, id)
	case SendLinks:
		return r.giveUp(ctx, id)
	case Pause:
		_, err = r.o.Catalogue.Pause(ctx, id)
	case Take:
		_, err = r.o.Catalogue.Resume(ctx, id)
	case Tag:
		err = r.o.Store.AddTag(ctx, id, run.Argument)
	case Untag:
		err = r.o.Store.RemoveTag(ctx, id, run.Argument)
	case Delete, DeleteRevoke:
		err = told(r.o.Catalogue.Delete(ctx, id, catalogue.WithGrant(run.Act == DeleteRevoke)))
	case Revoke:
		err = told(r.o.Catalogue.Revoke(ctx, id))
	case PutBack:
		_, err = r.o.Catalogue.PutBack(ctx, id, "")
	case Remove:
		err = told(r.o.Catalogue.Remove(ctx, id))
	default:
		err = errors.New("there is no such act")
	}
	return err
}

// told converts the result of an act that includes a request to a service.
func told(revoked catalogue.Revoked, err error) error {
	if err == nil && revoked.Err != nil {
		err = &saidError{key: "told_later", said: revoked.Err.Error()}
	}
	return err
}

// giveUp ends a grant that is behind a backup, unless it has been brought forward since.
func (r *Runner) giveUp(ctx context.Context, id string) error {
	decided, err := r.o.Store.DecidedBehind(ctx, id, SendLinks)
	if err != nil {
		return err
	}
	return r.o.Source.GiveUp(ctx, id, decided)
}

func (r *Runner) renew(ctx context.Context, id string) error {
	before, err := r.o.Store.Connection(ctx, id)
	if err != nil {
		return err
	}
	after, err := r.o.Source.Ask(ctx, before, tokensource.UsualWait)
	switch {
	case err != nil:
		return err
	case after.Generation > before.Generation:
		return nil
	case after.Failure != nil:
		return errors.New(after.Failure.Message)
	}
	return &saidError{key: "as_it_stands"}
}
