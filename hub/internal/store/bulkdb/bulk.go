package bulkdb

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

type bulkRunRow struct {
	ID        string `gorm:"primaryKey"`
	Act       string
	Argument  string
	Actor     string
	Address   string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	SeenAt    int64
	DoneAt    int64

	CancelledAt int64
}

// TableName pins the table.
func (bulkRunRow) TableName() string { return "bulk_runs" }

// BulkItemRow is a row of bulk_items.
type BulkItemRow struct {
	RunID        string `gorm:"primaryKey"`
	N            int64  `gorm:"primaryKey;autoIncrement:false"`
	ConnectionID string
	Name         string
	State        string
	Message      string
	ImportRow    []byte
}

// TableName pins the table.
func (BulkItemRow) TableName() string { return "bulk_items" }

// BulkRun is an act on many connections.
type BulkRun struct {
	ID, Act, Argument string
	// Actor and Address identify who started it.
	Actor, Address    string
	CreatedAt, DoneAt time.Time
	// CancelledAt is when it was cancelled; zero if it was not.
	CancelledAt time.Time
}

// BulkItem is one connection of a run.
type BulkItem struct {
	N                  int
	ConnectionID, Name string
	// State is one of the states of an item; Message is why it failed.
	State, Message string
	// ImportRow is what an item of an import brings, in plain text; it is sealed in the
	// database and only ImportRow returns it.
	ImportRow []byte
}

// The states of an item.
const (
	BulkWaiting = "waiting"
	BulkDone    = "done"
	BulkFailed  = "failed"
	// BulkCancelled was left alone because the run was cancelled.
	BulkCancelled = "cancelled"
	// BulkTroubled was imported, and its renewal at once has failed.
	BulkTroubled = "troubled"
	// BulkTried was imported and renewed; whether it is taken up depends on the other items.
	BulkTried = "tried"
)

// CreateBulkRun adds a run for the connections that a filter chooses, at most limit,
// and returns how many there are.
func (s *Rows) CreateBulkRun(ctx context.Context, run BulkRun, f grantdb.Filter, limit int) (int, error) {
	var chosen []struct{ ID, Name string }
	if err := s.grants.Chosen(ctx, f).Select("id, " + grantdb.WasNamed + " AS name").Order("name").Limit(limit).Scan(&chosen).Error; err != nil {
		return 0, db.Failed("find the connections", err)
	}
	items := make([]BulkItem, 0, len(chosen))
	for n, c := range chosen {
		items = append(items, BulkItem{N: n, ConnectionID: c.ID, Name: c.Name})
	}
	return len(items), s.CreateBulkRunOf(ctx, run, items)
}

// CreateBulkRunOf adds a run for items that all wait. Each has an N of its own.
func (s *Rows) CreateBulkRunOf(ctx context.Context, run BulkRun, items []BulkItem) error {
	return db.Failed("begin an act on many connections", s.db.Transaction(ctx, func(tx *gorm.DB) error {
		row := bulkRunRow{ID: run.ID, Act: run.Act, Argument: run.Argument, Actor: run.Actor, Address: run.Address, CreatedAt: db.Millis(run.CreatedAt), SeenAt: db.Millis(run.CreatedAt)}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		rows := make([]BulkItemRow, 0, len(items))
		for _, item := range items {
			sealed, err := s.sealRow(run.ID, item)
			if err != nil {
				return err
			}
			rows = append(rows, BulkItemRow{RunID: run.ID, N: int64(item.N), ConnectionID: item.ConnectionID, Name: item.Name, State: BulkWaiting, ImportRow: sealed})
		}
		if len(rows) == 0 {
			return nil
		}
		return tx.CreateInBatches(rows, db.RowsAtOnce).Error
	}))
}

// AbandonedBulkRun takes over a run without progress since a time. Errors: ErrNotFound if
// there is none.
func (s *Rows) AbandonedBulkRun(ctx context.Context, since, now time.Time) (BulkRun, error) {
	var rows []bulkRunRow
	err := s.db.Reading(ctx).Where("done_at = 0 AND seen_at < ?", db.Millis(since)).Order("seen_at").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		if err == nil {
			err = db.ErrNotFound
		}
		return BulkRun{}, db.Failed("look for an abandoned act on many connections", err)
	}
	taken := s.db.Writing(ctx).Model(&bulkRunRow{}).Where("id = ? AND seen_at = ? AND done_at = 0", rows[0].ID, rows[0].SeenAt).UpdateColumn("seen_at", db.Millis(now))
	return rows[0].value(), db.Changed("take over an act on many connections", taken)
}

// WaitingBulkItems reads the next waiting items of a run, in order, and records its
// progress.
func (s *Rows) WaitingBulkItems(ctx context.Context, runID string, limit int, now time.Time) ([]BulkItem, error) {
	if err := s.db.Writing(ctx).Model(&bulkRunRow{}).Where("id = ?", runID).UpdateColumn("seen_at", db.Millis(now)).Error; err != nil {
		return nil, db.Failed("go on with an act on many connections", err)
	}
	return itemsOf(s.db.Reading(ctx).Where("run_id = ? AND state = ?", runID, BulkWaiting).Order("n").Limit(limit))
}

func itemsOf(query *gorm.DB) ([]BulkItem, error) {
	var rows []BulkItemRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, db.Failed("read an act on many connections", err)
	}
	items := make([]BulkItem, 0, len(rows))
	for _, r := range rows {
		items = append(items, BulkItem{N: int(r.N), ConnectionID: r.ConnectionID, Name: r.Name, State: r.State, Message: r.Message})
	}
	return items, nil
}

// FinishBulkItem notes what came of an item, and forgets what it imports.
func (s *Rows) FinishBulkItem(ctx context.Context, runID string, item BulkItem) error {
	return db.Failed("note a result", s.db.Writing(ctx).Model(&BulkItemRow{}).Where("run_id = ? AND n = ?", runID, item.N).
		UpdateColumns(map[string]any{"state": item.State, "message": item.Message, "import_row": nil}).Error)
}

// FinishBulkRun notes that nothing of a run waits any more.
func (s *Rows) FinishBulkRun(ctx context.Context, runID string, now time.Time) error {
	return db.Failed("end an act on many connections", s.db.Writing(ctx).Model(&bulkRunRow{}).Where("id = ?", runID).UpdateColumn("done_at", db.Millis(now)).Error)
}

// CancelBulkRun stops a run: waiting items are left unchanged, the one in progress is
// finished. Errors: ErrNotFound for a run that is over or was cancelled.
func (s *Rows) CancelBulkRun(ctx context.Context, runID string, now time.Time) error {
	return db.Failed("cancel an act on many connections", s.db.Transaction(ctx, func(tx *gorm.DB) error {
		stopped := tx.Model(&bulkRunRow{}).Where("id = ? AND done_at = 0 AND cancelled_at = 0", runID).UpdateColumn("cancelled_at", db.Millis(now))
		if stopped.Error == nil && stopped.RowsAffected == 0 {
			return db.ErrNotFound
		}
		if stopped.Error != nil {
			return stopped.Error
		}
		if err := forget(tx, runID); err != nil {
			return err
		}
		return tx.Model(&BulkItemRow{}).Where("run_id = ? AND state = ?", runID, BulkWaiting).UpdateColumn("state", BulkCancelled).Error
	}))
}

// BulkPage is a part of the results of a run.
type BulkPage struct {
	// State keeps those that are in it; "" puts those that failed first, then those that
	// wait, were cancelled and are done.
	State string
	// Skip leaves out so many, Limit bounds the number of results.
	Skip, Limit int
}

// byUrgency orders the results of a run.
const byUrgency = `CASE state WHEN 'failed' THEN 0 WHEN 'troubled' THEN 1 WHEN 'waiting' THEN 2 WHEN 'tried' THEN 2 WHEN 'cancelled' THEN 3 ELSE 4 END, n`

// BulkRun reads a run with its counts by state, and a page of its items. Errors: ErrNotFound.
func (s *Rows) BulkRun(ctx context.Context, id string, page BulkPage) (BulkRun, map[string]int, []BulkItem, error) {
	var row bulkRunRow
	if err := s.db.Reading(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return BulkRun{}, nil, nil, db.Failed("read an act on many connections", err)
	}
	counts, err := s.countBulkItems(ctx, id)
	if err != nil {
		return BulkRun{}, nil, nil, err
	}
	query := s.db.Reading(ctx).Omit("import_row").Where("run_id = ?", id)
	if page.State != "" {
		query = query.Where("state = ?", page.State)
	}
	items, err := itemsOf(query.Order(byUrgency).Offset(page.Skip).Limit(page.Limit))
	return row.value(), counts, items, err
}

// DeleteOldBulkRuns removes runs that ended before a time.
func (s *Rows) DeleteOldBulkRuns(ctx context.Context, before time.Time) error {
	return db.Failed("remove old acts on many connections", s.db.Writing(ctx).Where("done_at > 0 AND done_at < ?", db.Millis(before)).Delete(&bulkRunRow{}).Error)
}

func (r *bulkRunRow) value() BulkRun {
	return BulkRun{ID: r.ID, Act: r.Act, Argument: r.Argument, Actor: r.Actor, Address: r.Address, CreatedAt: db.TimeOf(r.CreatedAt), DoneAt: db.TimeOf(r.DoneAt), CancelledAt: db.TimeOf(r.CancelledAt)}
}
