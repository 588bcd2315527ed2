package bulk

import (
	"context"
	"errors"
	"fmt"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
)

// table is an import in progress.
type table struct {
	rows map[int]catalogue.ImportRow // by line
}

// BeginImport starts to add the connections of a valid table, and returns the run's id.
// Its items have the lines of the table as numbers. The tokens stay in this process: an
// import is not resumed after a crash of its hub, and shows which rows are missing.
func (r *Runner) BeginImport(ctx context.Context, rows []catalogue.ImportRow) (id string, err error) {
	run := newRun(ctx, Import, "")
	t := table{rows: make(map[int]catalogue.ImportRow, len(rows))}
	items := make([]bulkdb.BulkItem, 0, len(rows))
	for _, row := range rows {
		t.rows[row.Line] = row
		name := row.Name
		if name == "" {
			name = catalogue.Slug(row.Title)
		}
		items = append(items, bulkdb.BulkItem{N: row.Line, Name: name})
	}
	err = r.o.Recorder.Change(ctx, beginning(run), func(ctx context.Context, e *act.Entry) error {
		e.Add("connections", fmt.Sprint(len(rows)))
		return r.o.Store.Bulk.CreateBulkRunOf(ctx, run, items)
	})
	if err != nil {
		return "", err
	}
	r.tables.Store(run.ID, t)
	r.work.Go(func() {
		defer r.tables.Delete(run.ID)
		r.carryOut(act.From(ctx), run)
	})
	return run.ID, nil
}

// importRows adds some connections of a table in their order: of two of one name the first
// one gets it.
func (r *Runner) importRows(ctx context.Context, run bulkdb.BulkRun, items []bulkdb.BulkItem) {
	for _, item := range items {
		acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
		item.State = bulkdb.BulkDone
		if err := r.importRow(acting, run, item); err != nil {
			item.State, item.Message = bulkdb.BulkFailed, importMessage(err)
		}
		r.keep(acting, run, item)
		cancel()
	}
}

func (r *Runner) importRow(ctx context.Context, run bulkdb.BulkRun, item bulkdb.BulkItem) error {
	kept, _ := r.tables.Load(run.ID)
	t, _ := kept.(table)
	row, there := t.rows[item.N]
	if !there {
		return &saidError{key: "import_lost"}
	}
	_, err := r.o.Connections.Import(ctx, row.Import) // the scheduler renews what has to be
	return err
}

// importMessage is why a row was not imported, as an item keeps it.
func importMessage(err error) string {
	if invalid, ok := errors.AsType[*catalogue.InvalidError](err); ok && len(invalid.Problems) > 0 {
		said := invalid.Problems[0].Message
		return (&saidError{key: BothKey, said: said.EN + between + said.RU}).Error()
	}
	if errors.Is(err, store.ErrNotFound) {
		return (&saidError{key: "import_service"}).Error()
	}
	return message(err)
}
