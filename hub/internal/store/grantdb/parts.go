package grantdb

import (
	"context"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// Part is the connection of a part of an authorization.
type Part struct {
	connection.Connection

	// Trashed is set if it is in the trash; Connection is then as Trashed.Connection.
	Trashed bool
}

// Parts reads the connections of the parts of a main connection's authorization, those in
// the trash as well, in the order in which they were made.
func (s *Rows) Parts(ctx context.Context, mainID string) ([]Part, error) {
	var rows []ConnectionRow
	if err := s.db.Reading(ctx).Where("main_id = ? AND main_id <> ''", mainID).Order("created_at, id").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the parts of "+mainID, err)
	}
	parts := make([]Part, 0, len(rows))
	for i := range rows {
		p := Part{Trashed: rows[i].State == StateTrashed}
		var err error
		if p.Trashed {
			var t Trashed
			t, err = s.trashedOf(&rows[i])
			p.Connection = t.Connection
		} else {
			p.Connection, err = s.connectionOf(&rows[i])
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// CountParts counts, for some main connections, those of their parts that are not in the
// trash, by the main's id; one without parts is left out.
func (s *Rows) CountParts(ctx context.Context, mainIDs []string) (map[string]int, error) {
	var counts []struct {
		MainID string
		Count  int
	}
	err := s.db.Reading(ctx).Model(&ConnectionRow{}).Select("main_id, COUNT(*) AS count").
		Where("main_id IN ? AND main_id <> '' AND "+Visible, mainIDs).Group("main_id").Scan(&counts).Error
	all := make(map[string]int, len(counts))
	for _, c := range counts {
		all[c.MainID] = c.Count
	}
	return all, db.Failed("count the parts of connections", err)
}

// GrantTrashed saves a new grant of a connection in the trash, where it stays: as
// UpdateConnection, for what was read by Parts or Trashed. Errors: ErrStale, ErrNotFound if
// it is not in the trash.
func (s *Rows) GrantTrashed(ctx context.Context, c, was connection.Connection) error {
	tried := "keep a new grant of the deleted connection " + c.Name
	row, err := s.RowOfConnection(c)
	if err != nil {
		return db.Failed(tried, err)
	}
	return db.Failed(tried, s.db.Transaction(ctx, func(tx *gorm.DB) error {
		old, err := lockTrashed(tx, c.ID)
		if err != nil {
			return err
		}
		if old.Generation != was.Generation || old.UpdatedAt != db.Millis(was.UpdatedAt) {
			return db.ErrStale
		}
		if err := s.turnPage(tx, old, c); err != nil {
			return err
		}
		row.Name, row.TrashName, row.UpdatedAt = old.Name, old.TrashName, db.Later(c.UpdatedAt, old.UpdatedAt)
		row.TrashedAt, row.TrashedBy = old.TrashedAt, old.TrashedBy
		row.IntoTrash()
		return tx.Model(&ConnectionRow{}).Where("id = ?", c.ID).Select("*").
			Omit("id", "created_at", "last_pulled_at", "lease_owner", "lease_until").Updates(&row).Error
	}))
}
