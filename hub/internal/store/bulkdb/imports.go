package bulkdb

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// BindBulkItem notes which connection a waiting item has become, with the transaction that
// ctx belongs to.
func (s *Rows) BindBulkItem(ctx context.Context, runID string, item BulkItem) error {
	return db.Failed("note the connection of an import", s.db.Writing(ctx).Model(&BulkItemRow{}).Where("run_id = ? AND n = ?", runID, item.N).
		UpdateColumns(map[string]any{"connection_id": item.ConnectionID, "message": item.Message}).Error)
}

// ImportRow opens the row of an item that is imported; nil if it has none. It is gone once
// the item has a result, unless it was only tried.
func (s *Rows) ImportRow(ctx context.Context, runID string, n int) ([]byte, error) {
	var row BulkItemRow
	if err := s.db.Reading(ctx).Where("run_id = ? AND n = ?", runID, n).Take(&row).Error; err != nil {
		return nil, db.Failed("read a row of an import", err)
	}
	if len(row.ImportRow) == 0 {
		return nil, nil
	}
	plain, err := s.db.Box.Open(row.ImportRow, "bulk_items", importRowID(runID, n), "import_row")
	return plain, db.Failed("open a row of an import", err)
}

// BulkItems reads the items of a run that are in some states, in order; none is all states.
func (s *Rows) BulkItems(ctx context.Context, runID string, states ...string) ([]BulkItem, error) {
	query := s.db.Reading(ctx).Omit("import_row").Where("run_id = ?", runID)
	if len(states) > 0 {
		query = query.Where("state IN ?", states)
	}
	return itemsOf(query.Order("n"))
}

// SeeBulkRun records the progress of a run, so that no other replica takes it over, and
// reports whether it was cancelled.
func (s *Rows) SeeBulkRun(ctx context.Context, runID string, now time.Time) (cancelled bool, err error) {
	if err := s.db.Writing(ctx).Model(&bulkRunRow{}).Where("id = ?", runID).UpdateColumn("seen_at", db.Millis(now)).Error; err != nil {
		return false, db.Failed("go on with an import", err)
	}
	var row bulkRunRow
	err = s.db.Reading(ctx).Where("id = ?", runID).Take(&row).Error
	return row.CancelledAt > 0, db.Failed("go on with an import", err)
}

// countBulkItems counts the items of a run by their state.
func (s *Rows) countBulkItems(ctx context.Context, runID string) (map[string]int, error) {
	var counted []struct {
		State string
		Count int
	}
	err := s.db.Reading(ctx).Model(&BulkItemRow{}).Select("state, COUNT(*) AS count").Where("run_id = ?", runID).Group("state").Scan(&counted).Error
	counts := map[string]int{}
	for _, c := range counted {
		counts[c.State] = c.Count
	}
	return counts, db.Failed("count what is done", err)
}

// sealRow seals what an item imports; nothing is nil.
func (s *Rows) sealRow(runID string, item BulkItem) ([]byte, error) {
	if len(item.ImportRow) == 0 {
		return nil, nil
	}
	return s.db.Box.Seal(item.ImportRow, "bulk_items", importRowID(runID, item.N), "import_row")
}

// importRowID is the identity of a row that it is sealed with.
func importRowID(runID string, n int) string { return runID + "/" + strconv.Itoa(n) }

// forget removes what waiting items of a run import.
func forget(tx *gorm.DB, runID string) error {
	return tx.Model(&BulkItemRow{}).Where("run_id = ?", runID).UpdateColumn("import_row", nil).Error
}
