package grantdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// Trashed is a deleted connection that can still be put back.
type Trashed struct {
	// Connection is as it was, under the name that it had, with what late replies have
	// changed since.
	connection.Connection

	// TrashedAt is when it was deleted, TrashedBy the login or the API key's title that
	// deleted it.
	TrashedAt time.Time
	TrashedBy string
}

// TrashFilter chooses deleted connections. Its zero value chooses all.
type TrashFilter struct {
	// Query keeps those whose name, title or account contains it, in any case of letters.
	Query string
	// Before keeps those that were deleted before a time.
	Before time.Time
	// AfterAt and AfterID start behind one: the last one of the page before.
	AfterAt time.Time
	AfterID string
	// Limit bounds the number of results; 0 is no bound.
	Limit int
}

// TrashConnection moves a connection into the trash, with all that belongs to it. Its
// name is free then, nothing is due for it, and only the Trash methods, and outcomes of
// renewals that were in flight, find it. Errors: ErrNotFound.
func (s *Rows) TrashConnection(ctx context.Context, id, by string, now time.Time) error {
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		row, err := lockConnection(tx, id)
		if err != nil {
			return err
		}
		row.TrashName, row.Name = row.Name, trashedName(id)
		row.TrashedAt, row.TrashedBy, row.UpdatedAt = db.Millis(now), by, db.Later(now, row.UpdatedAt)
		row.LeaseOwner, row.LeaseUntil = "", 0 // a renewal that has not begun must not
		row.IntoTrash()
		return s.moveTrash(tx, row)
	})
	if err == nil {
		s.db.NotifyLocal(ctx, id)
	}
	return db.Failed("move the connection "+id+" into the trash", err)
}

// moveTrash writes the columns in which a row in the trash differs.
func (s *Rows) moveTrash(tx *gorm.DB, row *ConnectionRow) error {
	err := tx.Model(&ConnectionRow{}).Where("id = ?", row.ID).Select("name", "state", "due_at", "person_by", "failure_cause", "search_text", "trash_name", "trash",
		"trashed_at", "trashed_by", "lease_owner", "lease_until", "updated_at").Updates(row).Error
	if err != nil {
		return err
	}
	return s.db.Notify(tx, row.ID)
}

// RestoreTrashed takes a connection out of the trash, under a name. Errors: ErrNotFound if
// it is not there, ErrNameTaken.
func (s *Rows) RestoreTrashed(ctx context.Context, id, name string, now time.Time) (restored connection.Connection, err error) {
	tried := "take the connection " + name + " out of the trash"
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		row, err := lockTrashed(tx, id)
		if err != nil {
			return err
		}
		row.OutOfTrash()
		row.Name, row.TrashName, row.TrashedAt, row.TrashedBy, row.UpdatedAt = name, "", 0, "", db.Later(now, row.UpdatedAt)
		if restored, err = s.connectionOf(row); err != nil {
			return err
		}
		row.SearchText = restored.Derived().Search
		return s.moveTrash(tx, row)
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return restored, fmt.Errorf("%s: %w", tried, &db.NameTakenError{Field: "name", Value: name})
	}
	if err == nil {
		s.db.NotifyLocal(ctx, id)
	}
	return restored, db.Failed(tried, err)
}

// DeleteTrashed removes a connection from the trash permanently, with its history, its
// open intent and its places in API keys. Errors: ErrNotFound.
func (s *Rows) DeleteTrashed(ctx context.Context, id string) error {
	return db.Changed("remove the connection "+id+" from the trash", s.db.Writing(ctx).Where("id = ? AND state = ?", id, StateTrashed).Delete(&ConnectionRow{}))
}

// Trashed reads one from the trash. Errors: ErrNotFound.
func (s *Rows) Trashed(ctx context.Context, id string) (Trashed, error) {
	var row ConnectionRow
	err := s.db.Reading(ctx).Where("id = ? AND state = ?", id, StateTrashed).Take(&row).Error
	if err != nil {
		return Trashed{}, db.Failed("read the connection "+id+" in the trash", err)
	}
	return s.trashedOf(&row)
}

// ConnectionOrTrashed is Connection, and as it was for one in the trash: a reply to a
// request that was out at its deletion still belongs to it. Errors: ErrNotFound.
func (s *Rows) ConnectionOrTrashed(ctx context.Context, id string) (connection.Connection, error) {
	c, err := s.Connection(ctx, id)
	if !errors.Is(err, db.ErrNotFound) {
		return c, err
	}
	t, err := s.Trashed(ctx, id)
	return t.Connection, err
}

// Trash reads what the filter chooses, the last deleted first.
func (s *Rows) Trash(ctx context.Context, f TrashFilter) ([]Trashed, error) {
	query := s.inTrash(ctx, f).Order("trashed_at DESC, id DESC")
	if f.AfterID != "" {
		query = query.Where("(trashed_at < ? OR trashed_at = ? AND id < ?)", db.Millis(f.AfterAt), db.Millis(f.AfterAt), f.AfterID)
	}
	if f.Limit > 0 {
		query = query.Limit(f.Limit)
	}
	var rows []ConnectionRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, db.Failed("read the trash", err)
	}
	all := make([]Trashed, 0, len(rows))
	for i := range rows {
		t, err := s.trashedOf(&rows[i])
		if err != nil {
			s.db.Log.Error("read deleted connection failed", "connection", rows[i].TrashName, "error", err)
			continue
		}
		all = append(all, t)
	}
	return all, nil
}

// CountTrash counts what the filter chooses, on all its pages.
func (s *Rows) CountTrash(ctx context.Context, f TrashFilter) (int, error) {
	var n int64
	err := s.inTrash(ctx, f).Count(&n).Error
	return int(n), db.Failed("count what is in the trash", err)
}

// CountTrashOfService counts the deleted connections of a service, which keep it from
// being deleted.
func (s *Rows) CountTrashOfService(ctx context.Context, serviceID string) (int, error) {
	var n int64
	err := s.db.Reading(ctx).Model(&ConnectionRow{}).Where("service_id = ? AND state = ?", serviceID, StateTrashed).Count(&n).Error
	return int(n), db.Failed("count what is in the trash", err)
}

func (s *Rows) inTrash(ctx context.Context, f TrashFilter) *gorm.DB {
	query := s.db.Reading(ctx).Model(&ConnectionRow{}).Where("state = ? AND trashed_at > 0", StateTrashed)
	if f.Query != "" {
		query = query.Where("search_text LIKE ? ESCAPE '!'", "%"+likeEscape.Replace(connection.Folded(f.Query))+"%")
	}
	if !f.Before.IsZero() {
		query = query.Where("trashed_at < ?", db.Millis(f.Before))
	}
	return query
}

func (s *Rows) trashedOf(row *ConnectionRow) (Trashed, error) {
	t := Trashed{TrashedAt: db.TimeOf(row.TrashedAt), TrashedBy: row.TrashedBy}
	out := *row
	out.OutOfTrash()
	out.Name = row.TrashName
	var err error
	t.Connection, err = s.connectionOf(&out)
	return t, err
}

func lockTrashed(tx *gorm.DB, id string) (*ConnectionRow, error) {
	var row ConnectionRow
	err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ? AND state = ?", id, StateTrashed).Take(&row).Error
	return &row, err
}
