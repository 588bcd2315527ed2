package grantdb

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// importedRow is a row of imported_grants.
type importedRow struct {
	ConnectionID string `gorm:"primaryKey"`
	Origin       string
	Generation   int64
}

// TableName pins the table.
func (importedRow) TableName() string { return "imported_grants" }

// Imported is a connection whose grant was imported.
type Imported struct {
	// Connection is as it was, under the name that it had, if it is in the trash.
	connection.Connection

	// Trashed is set while it is in the trash, and First is the generation that was imported.
	Trashed bool
	First   int64
}

// NoteImported notes which token the present generation of a connection was made of, by a
// digest of it.
func (s *Rows) NoteImported(ctx context.Context, c connection.Connection, origin string) error {
	row := importedRow{ConnectionID: c.ID, Origin: origin, Generation: c.Generation}
	return db.Failed("note what "+c.Name+" was imported from", s.db.Writing(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error)
}

// ImportedFrom reads the newest connection whose grant was imported from a token, by the
// digest of it, also from the trash. Errors: ErrNotFound.
func (s *Rows) ImportedFrom(ctx context.Context, origin string) (i Imported, err error) {
	var row importedRow
	err = s.db.Reading(ctx).Joins("JOIN connections ON connections.id = imported_grants.connection_id").
		Where("imported_grants.origin = ?", origin).Order("connections.created_at DESC, connections.id").Take(&row).Error
	if err != nil {
		return i, db.Failed("look for what was imported before", err)
	}
	i.First = row.Generation
	if i.Connection, err = s.Connection(ctx, row.ConnectionID); err == nil {
		return i, nil
	}
	t, err := s.Trashed(ctx, row.ConnectionID)
	i.Connection, i.Trashed = t.Connection, true
	return i, err
}
