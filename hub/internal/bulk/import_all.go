package bulk

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// importAll imports a table of which all rows are taken into use, or none. First every
// service is asked what it says without a renewal, and nothing is sent if a row is refused
// there. Then the rows are added, held, and renewed: their old tokens are spent from then
// on. In the end all are taken up in one transaction, or all are moved into the trash with
// the tokens that they have got, and an import of the same table takes them from there. A
// hub that takes over goes on from what the items say.
func (r *Runner) importAll(ctx context.Context, run bulkdb.BulkRun) error {
	steps := []func(context.Context, bulkdb.BulkRun, bulkdb.BulkItem) bulkdb.BulkItem{r.rehearsed, r.placed, r.triedHeld}
	for n, step := range steps {
		items, err := r.o.Store.Bulk.BulkItems(ctx, run.ID)
		if err != nil {
			return err
		}
		begun := slices.ContainsFunc(items, func(i bulkdb.BulkItem) bool { return i.ConnectionID != "" })
		if n == 0 && begun {
			continue // all were rehearsed before the first was added
		}
		if n < 2 && !allWait(items) {
			break
		}
		if err := r.inGroups(ctx, run, items, step); err != nil {
			return err
		}
	}
	return r.decide(ctx, run)
}

// allWait reports whether no item has failed or was cancelled.
func allWait(items []bulkdb.BulkItem) bool {
	return !slices.ContainsFunc(items, func(i bulkdb.BulkItem) bool {
		return i.State == bulkdb.BulkFailed || i.State == bulkdb.BulkCancelled
	})
}

// inGroups does a step of the items that wait, some at a time, and keeps what came of it.
func (r *Runner) inGroups(ctx context.Context, run bulkdb.BulkRun, items []bulkdb.BulkItem, step func(context.Context, bulkdb.BulkRun, bulkdb.BulkItem) bulkdb.BulkItem) error {
	items = slices.DeleteFunc(items, func(i bulkdb.BulkItem) bool { return i.State != bulkdb.BulkWaiting })
	for some := range slices.Chunk(items, group) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if cancelled, err := r.o.Store.Bulk.SeeBulkRun(ctx, run.ID, time.Now()); err != nil || cancelled {
			return err
		}
		var working sync.WaitGroup
		for _, item := range some {
			working.Go(func() {
				acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
				defer cancel()
				if after := step(acting, run, item); after.State != bulkdb.BulkWaiting {
					r.keep(acting, run, after)
				}
			})
		}
		working.Wait()
	}
	return nil
}

// rehearsed fails an item that its service refuses without being asked to renew.
func (r *Runner) rehearsed(ctx context.Context, run bulkdb.BulkRun, item bulkdb.BulkItem) bulkdb.BulkItem {
	in, err := r.rowOf(ctx, run, item)
	var found authflow.Rehearsal
	if err == nil {
		found, err = r.o.Connections.RehearseImport(ctx, in)
	}
	switch {
	case err != nil:
		item.State, item.Message = bulkdb.BulkFailed, importMessage(err)
	case found.Verdict == authflow.RenewalOver:
		item.State, item.Message = bulkdb.BulkFailed, troubleMessage(depends.prefix, provider.ReauthorizationRequired, "")
	}
	return item
}

// placed adds the connection of an item, held. Of two of one name one fails.
func (r *Runner) placed(ctx context.Context, run bulkdb.BulkRun, item bulkdb.BulkItem) bulkdb.BulkItem {
	item, err := r.importRow(ctx, run, item, true)
	if err != nil {
		item.State, item.Message = bulkdb.BulkFailed, importMessage(err)
		return item
	}
	item.State = bulkdb.BulkWaiting
	return item
}

func (r *Runner) triedHeld(ctx context.Context, _ bulkdb.BulkRun, item bulkdb.BulkItem) bulkdb.BulkItem {
	return r.tried(ctx, item, depends)
}

// decide takes up what was imported if every item was tried with success, and sets it aside
// otherwise, with the results of the items in one transaction.
func (r *Runner) decide(ctx context.Context, run bulkdb.BulkRun) error {
	return r.o.Store.InTx(ctx, func(ctx context.Context) error {
		items, err := r.o.Store.Bulk.BulkItems(ctx, run.ID)
		if err == nil {
			items, err = r.withoutGone(ctx, items)
		}
		if err != nil {
			return err
		}
		all := !slices.ContainsFunc(items, func(i bulkdb.BulkItem) bool { return i.State != bulkdb.BulkTried })
		var imported []connections.Which
		for _, item := range items {
			if item.ConnectionID != "" {
				imported = append(imported, which(item))
			}
		}
		end := r.o.Connections.SetAside
		if all {
			end = r.o.Connections.TakeUp
		}
		if err := end(ctx, imported); err != nil {
			return err
		}
		for _, item := range items {
			if err := r.o.Store.Bulk.FinishBulkItem(ctx, run.ID, decided(item, all)); err != nil {
				return err
			}
		}
		return r.o.Store.Bulk.FinishBulkRun(ctx, run.ID, time.Now())
	})
}

// withoutGone fails the items whose connection somebody has deleted since.
func (r *Runner) withoutGone(ctx context.Context, items []bulkdb.BulkItem) ([]bulkdb.BulkItem, error) {
	for i := range items {
		if items[i].ConnectionID == "" {
			continue
		}
		_, _, err := r.o.Connections.Find(ctx, which(items[i]))
		if errors.Is(err, store.ErrNotFound) {
			items[i].ConnectionID, items[i].State, items[i].Message = "", bulkdb.BulkFailed, message(err)
		} else if err != nil {
			return nil, err
		}
	}
	return items, nil
}

// decided is the result of an item once it is known whether all are taken up.
func decided(item bulkdb.BulkItem, all bool) bulkdb.BulkItem {
	var key string
	switch {
	case all:
		item.State = bulkdb.BulkDone
		return item
	case item.State == bulkdb.BulkTried:
		item.State, key = bulkdb.BulkCancelled, "import_kept"
	case item.State == bulkdb.BulkWaiting, item.State == bulkdb.BulkCancelled:
		item.State, key = bulkdb.BulkCancelled, "import_untried"
	default:
		return item
	}
	item.Message = (&saidError{key: key}).Error()
	return item
}
