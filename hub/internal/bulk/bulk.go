// Package bulk carries out an act on many connections, one after another in small
// groups, and keeps what came of each.
//
// The walk: Begin writes the run with its connections and works on it in the
// background. A run whose hub died is found by Resume on any replica and goes on with
// what still waits; acts that were done are done again at most for the group that was
// under way, and each of them may be done twice. Package app/connections does and records
// the act on each connection, as who began the run.
package bulk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
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
	// people are sent links to authorize it again. Decide begins them.
	TryOnce   = replicadb.DecideTryOnce
	SendLinks = replicadb.DecideSendLinks
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
	Store *store.Store
	// Connections carries out the act on each connection and records it.
	Connections *connections.Connections
	Recorder    *act.Recorder
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
// id and how many they are. Errors: act.ErrNotAllowed.
func (r *Runner) Begin(ctx context.Context, what, argument string, f grantdb.Filter) (id string, n int, err error) {
	run := newRun(ctx, what, argument)
	err = r.o.Recorder.Change(ctx, beginning(run), func(ctx context.Context, e *act.Entry) (err error) {
		n, err = r.begin(ctx, run, f)
		e.Add("connections", fmt.Sprint(n))
		return err
	})
	if err != nil {
		return "", 0, err
	}
	return run.ID, n, nil
}

// begin is Begin without its record. The work begins after the commit.
func (r *Runner) begin(ctx context.Context, run bulkdb.BulkRun, f grantdb.Filter) (n int, err error) {
	if n, err = r.o.Store.Bulk.CreateBulkRun(ctx, run, f, Most); err != nil {
		return 0, err
	}
	r.o.Store.AfterCommit(ctx, func() { r.work.Go(func() { r.carryOut(act.From(ctx), run) }) })
	return n, nil
}

func newRun(ctx context.Context, what, argument string) bulkdb.BulkRun {
	who := act.From(ctx)
	return bulkdb.BulkRun{ID: store.NewID(), Act: what, Argument: argument, Actor: who.Name, Address: who.Address, CreatedAt: time.Now()}
}

// operating are the acts that keep connections going; the others change what there is.
var operating = []string{Renew, Pause, Take, Tag, Untag, Links}

// beginning is the act that begins a run.
func beginning(run bulkdb.BulkRun) act.Act {
	needs := access.ActManage
	if slices.Contains(operating, run.Act) {
		needs = access.ActOperate
	}
	return act.Act{Name: "bulk." + run.Act, Needs: needs, On: audit.Object{Kind: "bulk_run", Name: run.ID}, Detail: []string{"argument", run.Argument}}
}

// Decide has grants that are behind a backup tried once, or ended so that links are sent,
// by name; nil is all of them. Grants that are not listed any more are left out: n may be
// 0, and there is no run then. It takes effect after the commit, and is not recorded here.
func (r *Runner) Decide(ctx context.Context, names []string, decision string) (id string, n int, err error) {
	if !act.From(ctx).May(access.ActManage) {
		r.o.Recorder.Ended(ctx, beginning(newRun(ctx, decision, "")), act.ErrNotAllowed)
		return "", 0, act.ErrNotAllowed
	}
	decided, d, err := r.o.Store.Replicas.DecideBehind(ctx, names, decision, audit.From(ctx).Name)
	if err != nil || len(decided) == 0 {
		return "", 0, err
	}
	r.o.Store.AfterCommit(ctx, func() {
		if err := r.o.Decided(ctx); err != nil {
			r.o.Logger.Error("look at decisions about grants behind a backup failed, retrying", "error", err)
		}
	})
	run := newRun(ctx, decision, "")
	n, err = r.begin(ctx, run, grantdb.Filter{Decided: &d})
	return run.ID, n, err
}

// Cancel leaves alone what of a run still waits. Errors: store.ErrNotFound for a run that is
// over.
func (r *Runner) Cancel(ctx context.Context, id string) error {
	a := act.Act{Name: "bulk.cancel", Needs: access.ActOperate, On: audit.Object{Kind: "bulk_run", Name: id}}
	return r.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		return r.o.Store.Bulk.CancelBulkRun(ctx, id, time.Now())
	})
}

// Resume takes over abandoned runs. It is called periodically.
func (r *Runner) Resume(ctx context.Context) error {
	for {
		now := time.Now()
		run, err := r.o.Store.Bulk.AbandonedBulkRun(ctx, now.Add(-abandoned), now)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		who, err := r.begunBy(ctx, run)
		if err != nil {
			return err
		}
		r.work.Go(func() { r.carryOut(who, run) })
	}
}

// begunBy is who began a run of another process: a person, or an API key.
func (r *Runner) begunBy(ctx context.Context, run bulkdb.BulkRun) (act.Caller, error) {
	who := audit.Actor{Kind: audit.KindPerson, Name: run.Actor, Address: run.Address}
	_, err := r.o.Store.People.UserByLogin(ctx, run.Actor)
	if errors.Is(err, store.ErrNotFound) {
		who.Kind, err = audit.KindKey, nil
	}
	return act.Resumed(who), err
}

// carryOut works on a run until nothing of it waits, as who began it.
func (r *Runner) carryOut(who act.Caller, run bulkdb.BulkRun) {
	ctx := act.Within(act.With(r.life, who), "run", run.ID)
	if run.Act == Import {
		defer r.keepSeen(ctx, run)()
	}
	if run.Act == Import && run.Argument == TryAll {
		if err := r.importAll(ctx, run); err != nil {
			r.o.Logger.Error("import interrupted, will resume", "run", run.ID, "error", err)
		}
		return
	}
	most := group
	if run.Act == Links {
		most = linksGroup
	}
	for ctx.Err() == nil {
		items, err := r.o.Store.Bulk.WaitingBulkItems(ctx, run.ID, most, time.Now())
		if err == nil && len(items) == 0 {
			err = r.o.Store.Bulk.FinishBulkRun(ctx, run.ID, time.Now())
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
func (r *Runner) one(ctx context.Context, run bulkdb.BulkRun, item bulkdb.BulkItem) {
	acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	item.State = bulkdb.BulkDone
	if err := r.act(acting, run, connections.Which{ID: item.ConnectionID, Name: item.Name}); err != nil {
		item.State, item.Message = bulkdb.BulkFailed, message(err)
	}
	r.keep(acting, run, item)
}

// keep stores what came of an act on a connection, for the page of the run.
func (r *Runner) keep(ctx context.Context, run bulkdb.BulkRun, item bulkdb.BulkItem) {
	if err := r.o.Store.Bulk.FinishBulkItem(ctx, run.ID, item); err != nil {
		r.o.Logger.Error("save bulk operation result failed", "run", run.ID, "connection", item.Name, "error", err)
	}
}

func (r *Runner) act(ctx context.Context, run bulkdb.BulkRun, w connections.Which) (err error) {
	do := r.o.Connections
	switch run.Act {
	case Renew:
		return renewed(do.Renew(ctx, w))
	case TryOnce:
		return renewed(do.TryOnce(ctx, w))
	case SendLinks:
		err = do.GiveUp(ctx, w)
	case Pause:
		_, _, err = do.Pause(ctx, w)
	case Take:
		_, _, err = do.Resume(ctx, w)
	case Tag:
		err = do.AddTag(ctx, w, run.Argument)
	case Untag:
		err = do.RemoveTag(ctx, w, run.Argument)
	case Delete, DeleteRevoke:
		_, revoked, err := do.Delete(ctx, w, catalogue.WithGrant(run.Act == DeleteRevoke))
		return told(revoked, err)
	case Revoke:
		_, revoked, err := do.Revoke(ctx, w)
		return told(revoked, err)
	case PutBack:
		_, err = do.PutBack(ctx, w.ID, "")
	case Remove:
		_, revoked, err := do.Remove(ctx, w.ID)
		return told(revoked, err)
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

// renewed is what a run keeps of a renewal.
func renewed(before, after connection.Connection, err error) error {
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
