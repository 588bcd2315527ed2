package bulk

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Receivers counts the contacts that own what a filter chooses, and the connections without an owner.
func (r *Runner) Receivers(ctx context.Context, f grantdb.Filter) (contacts, ownerless int, err error) {
	return r.o.Store.People.CountOwners(ctx, f)
}

// Import reads an import with all of its rows in their order. Errors: store.ErrNotFound, also
// for another run.
func (r *Runner) Import(ctx context.Context, id string) (run bulkdb.BulkRun, counts map[string]int, items []bulkdb.BulkItem, err error) {
	if run, counts, _, err = r.o.Store.Bulk.BulkRun(ctx, id, bulkdb.BulkPage{Limit: 1}); err == nil && run.Act != Import {
		err = store.ErrNotFound
	}
	if err != nil {
		return run, nil, nil, err
	}
	items, err = r.o.Store.Bulk.BulkItems(ctx, id)
	return run, counts, items, err
}

// Run reads a run, how many of its items are in each state, and a page of them. Errors:
// store.ErrNotFound.
func (r *Runner) Run(ctx context.Context, id string, page bulkdb.BulkPage) (bulkdb.BulkRun, map[string]int, []bulkdb.BulkItem, error) {
	return r.o.Store.Bulk.BulkRun(ctx, id, page)
}
