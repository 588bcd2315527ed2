package bulk

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// Going is what an act on the connections that a filter chooses would concern, with the
// names of so many of them.
func (r *Runner) Going(ctx context.Context, f store.Filter, names int) (store.Going, error) {
	return r.o.Store.Going(ctx, f, names, time.Now())
}

// Receivers counts the contacts that own what a filter chooses, and what nobody owns.
func (r *Runner) Receivers(ctx context.Context, f store.Filter) (contacts, ownerless int, err error) {
	return r.o.Store.CountOwners(ctx, f)
}

// Run reads a run, how many of its items are in each state, and a page of them. Errors:
// store.ErrNotFound.
func (r *Runner) Run(ctx context.Context, id string, page store.BulkPage) (store.BulkRun, map[string]int, []store.BulkItem, error) {
	return r.o.Store.BulkRun(ctx, id, page)
}
