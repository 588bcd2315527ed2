package data

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/withdrawn"
)

// Options of Data.
type Options struct {
	Store    *store.Store
	Recorder *act.Recorder
	// Adopt takes a data folder that looks copied for the only one.
	Adopt func(ctx context.Context) error
	// Bulk decides about grants behind a backup.
	Bulk *bulk.Runner
	// Withdrawn is what a restore may bring back.
	Withdrawn *withdrawn.Tail
	// SendAnchor sends the head of the audit chain over the channel of a title, and returns
	// how many it was sent to.
	SendAnchor func(ctx context.Context, title string, a auditdb.AuditAnchor) (told int, err error)
	Logger     hclog.Logger
}

// Data are the acts on the hub's data. It is safe for concurrent use.
type Data struct {
	o Options
	// anchorFailed is when the failure to send an anchor was recorded last, in Unix seconds.
	anchorFailed atomic.Int64
}

// New returns Data.
func New(o Options) *Data { return &Data{o: o} }

// Adopt takes a data folder that looks copied for the only one.
func (d *Data) Adopt(ctx context.Context) error {
	a := act.Act{Name: "data.adopt", Needs: access.ActManage, On: audit.Object{Kind: "data"}}
	return d.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error { return d.o.Adopt(ctx) })
}

// keyKeptSetting is the time since which a copy of the hub's key is known to be kept.
const keyKeptSetting = "key-copy-kept"

// KeepKey notes that a person has put a copy of the hub's key away.
func (d *Data) KeepKey(ctx context.Context) error {
	a := act.Act{Name: "data.key_kept", Needs: access.ActManage, On: audit.Object{Kind: "data", Name: "key"}}
	return d.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		return d.o.Store.SetSetting(ctx, keyKeptSetting, time.Now().UTC().Format(time.RFC3339))
	})
}

// KeyKept reports whether a copy of the hub's key is known to be kept.
func (d *Data) KeyKept(ctx context.Context) (bool, error) {
	_, err := d.o.Store.Setting(ctx, keyKeptSetting)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// DecideBehind has grants that are behind a backup tried once, or ended so that links are
// sent (store.DecideTryOnce, store.DecideSendLinks), by name; nil is all of them. It returns
// the run of it and how many they are; none is left out of the record.
func (d *Data) DecideBehind(ctx context.Context, names []string, decision string) (run string, n int, err error) {
	a := act.Act{Name: "bulk." + decision, Needs: access.ActManage, On: audit.Object{Kind: "bulk_run"}}
	err = d.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if run, n, err = d.o.Bulk.Decide(ctx, names, decision); err != nil {
			return err
		}
		if n == 0 {
			e.Unchanged()
		}
		e.Named(run)
		e.Add("connections", fmt.Sprint(n))
		return nil
	})
	return run, n, err
}

// Again is something that was withdrawn again; Err is why it was not.
type Again struct {
	withdrawn.Item

	Err error
}

// WithdrawAgain withdraws again what a restore has brought back. One failure does not keep
// it from the rest: the last owner, for example, stays. Errors: act.ErrNotAllowed.
func (d *Data) WithdrawAgain(ctx context.Context) ([]Again, error) {
	items, err := d.o.Withdrawn.List(ctx)
	if err != nil {
		return nil, err
	}
	done := make([]Again, 0, len(items))
	for _, i := range items {
		err := d.withdraw(ctx, i)
		if errors.Is(err, act.ErrNotAllowed) {
			return nil, err
		}
		if err != nil {
			d.o.Logger.Warn("repeat withdrawal failed", "act", i.Act, "object", i.Object, "error", err)
		}
		done = append(done, Again{Item: i, Err: err})
	}
	return done, nil
}

func (d *Data) withdraw(ctx context.Context, i withdrawn.Item) error {
	a := act.Act{
		Name: "data.withdraw_again", Needs: access.ActWithdraw, On: audit.Object{Kind: i.Kind, Name: i.Object},
		Detail: []string{"act", i.Act, "withdrawn_at", i.At.UTC().Format(time.RFC3339)},
	}
	if act.From(ctx).Key.ID != "" {
		a.Needs = access.ActManage // `evergrant data withdraw` has an administrator's key
	}
	do := func(ctx context.Context, _ *act.Entry) error { return d.o.Withdrawn.Again(ctx, i) }
	if i.Asks() {
		return d.o.Recorder.Ask(ctx, a, do)
	}
	return d.o.Recorder.Change(ctx, a, do)
}
