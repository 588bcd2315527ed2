package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
)

// Whether an import renews at once what it brings in; the argument of its run.
const (
	// TryNone leaves that to the scheduler.
	TryNone = ""
	// TryRows renews each row once it is imported. One that fails stays imported.
	TryRows = "rows"
	// TryAll takes either all rows into use or none.
	TryAll = "all"
)

// Tries are the ways to try an import.
var Tries = []string{TryNone, TryRows, TryAll}

// keptRow is a row of an import as its item keeps it, sealed.
type keptRow struct {
	catalogue.Import

	// At is when it was read: lives in seconds count from then.
	At time.Time
}

// BeginImport starts to add the connections of a valid table, and returns the run's id.
// Its items have the lines of the table as numbers, and keep their rows sealed until each
// has a result, so that any replica goes on with the run.
func (r *Runner) BeginImport(ctx context.Context, rows []catalogue.ImportRow, try string) (id string, err error) {
	if !slices.Contains(Tries, try) {
		return "", fmt.Errorf("an import is tried as none, rows or all, not as %q", try)
	}
	run := newRun(ctx, Import, try)
	items := make([]bulkdb.BulkItem, 0, len(rows))
	now := time.Now()
	for _, row := range rows {
		if row.Name == "" {
			row.Name = catalogue.Slug(row.Title)
		}
		kept, err := json.Marshal(keptRow{Import: row.Import, At: now})
		if err != nil {
			return "", fmt.Errorf("keep line %d of the import: %w", row.Line, err)
		}
		items = append(items, bulkdb.BulkItem{N: row.Line, Name: row.Name, ImportRow: kept})
	}
	err = r.o.Recorder.Change(ctx, beginning(run), func(ctx context.Context, e *act.Entry) error {
		e.Add("connections", fmt.Sprint(len(rows)))
		return r.o.Store.Bulk.CreateBulkRunOf(ctx, run, items)
	})
	if err != nil {
		return "", err
	}
	r.work.Go(func() { r.carryOut(act.From(ctx), run) })
	return run.ID, nil
}

// importRows adds some connections of a table in their order: of two of one name the first
// one gets it. With TryRows they are renewed then, at the same time.
func (r *Runner) importRows(ctx context.Context, run bulkdb.BulkRun, items []bulkdb.BulkItem) {
	var trying sync.WaitGroup
	for _, item := range items {
		acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
		bound, err := r.importRow(acting, run, item, false)
		if err != nil {
			bound.State, bound.Message = bulkdb.BulkFailed, importMessage(err)
		}
		if err != nil || run.Argument != TryRows {
			r.keep(acting, run, bound)
			cancel()
			continue
		}
		trying.Go(func() {
			defer cancel()
			r.keep(acting, run, r.tried(acting, bound, stays))
		})
	}
	trying.Wait()
}

// importRow adds the connection of an item, unless a hub that died has done so.
func (r *Runner) importRow(ctx context.Context, run bulkdb.BulkRun, item bulkdb.BulkItem, held bool) (bulkdb.BulkItem, error) {
	item.State = bulkdb.BulkDone
	if item.ConnectionID != "" {
		return finished(run, item), nil
	}
	in, err := r.rowOf(ctx, run, item)
	if err != nil {
		return item, err
	}
	in.Held = held
	in.Placed = func(ctx context.Context, c connection.Connection) error {
		item.ConnectionID, item.Message = c.ID, boundMessage(c.Generation)
		return r.o.Store.Bulk.BindBulkItem(ctx, run.ID, item)
	}
	if _, err = r.o.Connections.Import(ctx, in); err != nil {
		item.ConnectionID = ""
	}
	return finished(run, item), err
}

// finished clears what an item notes for a try, if there is none.
func finished(run bulkdb.BulkRun, item bulkdb.BulkItem) bulkdb.BulkItem {
	if run.Argument == TryNone {
		item.Message = ""
	}
	return item
}

// seenEvery is how often a run that works says that it does.
const seenEvery = abandoned / 4

// keepSeen says that a run is worked on until stop is called: a group that waits for a
// service may take longer than after which a run counts as abandoned.
func (r *Runner) keepSeen(ctx context.Context, run bulkdb.BulkRun) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.work.Go(func() {
		ticks := time.NewTicker(seenEvery)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
				if _, err := r.o.Store.Bulk.SeeBulkRun(ctx, run.ID, time.Now()); err != nil {
					r.o.Logger.Warn("note that an import goes on failed, retrying", "run", run.ID, "error", err)
				}
			}
		}
	})
	return cancel
}

// rowOf is what an item imports.
func (r *Runner) rowOf(ctx context.Context, run bulkdb.BulkRun, item bulkdb.BulkItem) (catalogue.Import, error) {
	plain, err := r.o.Store.Bulk.ImportRow(ctx, run.ID, item.N)
	if err != nil {
		return catalogue.Import{}, err
	}
	if plain == nil {
		return catalogue.Import{}, &saidError{key: "import_lost"}
	}
	var row keptRow
	if err := json.Unmarshal(plain, &row); err != nil {
		return catalogue.Import{}, errors.New("the row that the run keeps cannot be read; import it again")
	}
	return row.Aged(time.Since(row.At)), nil
}

// BoundKey is the key of an item that was imported and has no result yet; the generation
// that it was imported with follows.
const BoundKey = "import_bound"

func boundMessage(generation int64) string {
	return (&saidError{key: BoundKey, said: strconv.FormatInt(generation, 10)}).Error()
}

// boundAt is the generation that an item was imported with.
func boundAt(item bulkdb.BulkItem) int64 {
	_, said, _ := Said(item.Message)
	generation, _ := strconv.ParseInt(said, 10, 64) // none is 0, below all
	return generation
}

// which is the connection of an item.
func which(item bulkdb.BulkItem) connections.Which {
	return connections.Which{ID: item.ConnectionID, Name: item.Name}
}

// importMessage is why a row was not imported, as an item keeps it.
func importMessage(err error) string {
	if first, ok := catalogue.FirstProblem(err); ok {
		return (&saidError{key: BothKey, said: first.Message.EN + between + first.Message.RU}).Error()
	}
	if errors.Is(err, store.ErrNotFound) {
		return (&saidError{key: "import_service"}).Error()
	}
	return message(err)
}
