package bulk

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Receivers counts the contacts that own what a filter chooses, and the connections without an owner.
func (r *Runner) Receivers(ctx context.Context, f grantdb.Filter) (contacts, ownerless int, err error) {
	return r.o.Store.People.CountOwners(ctx, f)
}

// Run reads a run, how many of its items are in each state, and a page of them. Errors:
// store.ErrNotFound.
func (r *Runner) Run(ctx context.Context, id string, page bulkdb.BulkPage) (bulkdb.BulkRun, map[string]int, []bulkdb.BulkItem, error) {
	return r.o.Store.Bulk.BulkRun(ctx, id, page)
}
