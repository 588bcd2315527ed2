package grantdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Filter chooses connections. Its zero value chooses all.
type Filter struct {
	// ServiceID keeps those of one service.
	ServiceID string
	// Query keeps those whose name or title contains it, in any case of letters.
	Query string
	// Status selects those with this status now.
	Status connection.Status
	// Names keeps those of these names; nil keeps all.
	Names []string
	// Tag keeps those that have it.
	Tag string
	// KeyID keeps those that an API key opens by name or by tag.
	KeyID string
	// Granted keeps those that were ever authorized ("once"), or never ("never").
	Granted string
	// Cause keeps those that suffer from it, as connection.Cause writes it.
	Cause string
	// Trash chooses in the trash, which is left out else; IDs keeps those of these ids
	// there, nil keeps all.
	Trash bool
	IDs   []string
	// Decided keeps those that DecideBehind has decided about; nil keeps all.
	Decided *Decided
	// Sort orders them: SortName is the default.
	Sort Sort
	// AfterName starts behind a name: the last one of the page before. With another
	// order than by name, AfterKey is what that one was ordered by, as Page.NextKey has it.
	AfterName string
	AfterKey  string
	// Limit bounds the number of results; 0 is no bound.
	Limit int
}

// CreateConnection adds a connection. Errors: ErrNameTaken, ErrNotFound if its
// service is gone.
func (s *Rows) CreateConnection(ctx context.Context, c connection.Connection) error {
	tried := "add the connection " + c.Name
	row, err := s.RowOfConnection(c)
	if err != nil {
		return db.Failed(tried, err)
	}
	return db.Written(tried, s.db.Writing(ctx).Create(&row), "name", c.Name)
}

// CreateConnections adds many connections, all or none. Errors: as
// CreateConnection, without saying which one it was.
func (s *Rows) CreateConnections(ctx context.Context, connections []connection.Connection) error {
	tried := fmt.Sprintf("add %d connections", len(connections))
	rows := make([]ConnectionRow, len(connections))
	for i, c := range connections {
		var err error
		if rows[i], err = s.RowOfConnection(c); err != nil {
			return db.Failed(tried, err)
		}
	}
	return db.Failed(tried, s.db.Transaction(ctx, func(tx *gorm.DB) error { return tx.CreateInBatches(rows, db.RowsAtOnce).Error }))
}

// Connection reads a connection by its id. Errors: ErrNotFound, for one in the trash as well.
func (s *Rows) Connection(ctx context.Context, id string) (connection.Connection, error) {
	return s.oneConnection(ctx, "id = ? AND "+Visible, id)
}

// ConnectionByName reads a connection by its unique name. Errors: ErrNotFound.
func (s *Rows) ConnectionByName(ctx context.Context, name string) (connection.Connection, error) {
	return s.oneConnection(ctx, "name = ? AND "+Visible, name)
}

func (s *Rows) oneConnection(ctx context.Context, where, value string) (connection.Connection, error) {
	var row ConnectionRow
	if err := s.db.Reading(ctx).Where(where, value).Take(&row).Error; err != nil {
		return connection.Connection{}, db.Failed("read the connection "+value, err)
	}
	return s.connectionOf(&row)
}

// likeEscape makes a text match itself in LIKE … ESCAPE '!'.
var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// ChangedSince reads the connections that have changed after a time, oldest
// change first, at most limit.
func (s *Rows) ChangedSince(ctx context.Context, after time.Time, limit int) ([]connection.Connection, error) {
	var rows []ConnectionRow
	err := s.db.Reading(ctx).Where("updated_at > ? AND "+Visible, db.Millis(after)).Order("updated_at").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, db.Failed("read what has changed", err)
	}
	return s.ReadableOf(rows), nil
}

// CountGrants counts the refresh tokens that a service may get: connections with a grant,
// those in the trash, and grants that have still to be revoked.
func (s *Rows) CountGrants(ctx context.Context, serviceID string) (int, error) {
	var n, told int64
	err := s.db.Reading(ctx).Model(&ConnectionRow{}).Where("service_id = ? AND state NOT IN ?", serviceID,
		[]string{string(connection.StatePending), string(connection.StateRevoked)}).Count(&n).Error
	if err == nil {
		err = s.db.Reading(ctx).Model(&revocationRow{}).Where("service_id = ?", serviceID).Count(&told).Error
	}
	return int(n + told), db.Failed("count the grants of a service", err)
}

// CountByService returns the number of connections of each service that has one,
// by the service's id.
func (s *Rows) CountByService(ctx context.Context) (map[string]int, error) {
	var rows []struct {
		ServiceID string
		Count     int
	}
	err := s.db.Reading(ctx).Model(&ConnectionRow{}).Select("service_id, COUNT(*) AS count").Where(Visible).Group("service_id").Scan(&rows).Error
	if err != nil {
		return nil, db.Failed("count the connections", err)
	}
	counts := make(map[string]int, len(rows))
	for _, row := range rows {
		counts[row.ServiceID] = row.Count
	}
	return counts, nil
}

// UpdateConnection saves what a person changed: an authorization, a pause, a
// revocation, an edited policy. was is the connection as it was read, on which the
// change was decided: whatever has been written since, be it a pause, makes it stale.
// If c has a new generation, the token set before it goes into the history; a revoked
// grant leaves no history. LastPulledAt and CreatedAt are not written. Errors:
// ErrStale, ErrNotFound, ErrNameTaken.
func (s *Rows) UpdateConnection(ctx context.Context, c, was connection.Connection) error {
	tried := "change the connection " + c.Name
	row, err := s.RowOfConnection(c)
	if err != nil {
		return db.Failed(tried, err)
	}
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		old, err := lockConnection(tx, c.ID)
		if err != nil {
			return err
		}
		if old.Generation != was.Generation || old.UpdatedAt != db.Millis(was.UpdatedAt) {
			return db.ErrStale
		}
		if err := s.turnPage(tx, old, c); err != nil {
			return err
		}
		row.UpdatedAt = db.Later(c.UpdatedAt, old.UpdatedAt)
		if err := s.db.Notify(tx, c.ID); err != nil {
			return err
		}
		return tx.Model(&ConnectionRow{}).Where("id = ?", c.ID).Select("*").
			Omit("id", "created_at", "last_pulled_at", "lease_owner", "lease_until").Updates(&row).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fmt.Errorf("%s: %w", tried, &db.NameTakenError{Field: "name", Value: c.Name})
	}
	if err == nil {
		s.db.NotifyLocal(ctx, c.ID)
	}
	return db.Failed(tried, err)
}

// RenameConnection gives a connection another title. Errors: ErrNotFound.
func (s *Rows) RenameConnection(ctx context.Context, id, title string) error {
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		old, err := lockConnection(tx, id)
		if err != nil {
			return err
		}
		renamed := connection.Connection{Name: old.Name, Title: title, Account: provider.Account{ID: old.AccountID, Name: old.AccountName}}
		return tx.Model(&ConnectionRow{}).Where("id = ?", id).Updates(map[string]any{
			"title": title, "search_text": renamed.Derived().Search, "updated_at": db.Later(time.Now(), old.UpdatedAt),
		}).Error
	})
	return db.Failed("rename the connection "+id, err)
}

// TouchPulled notes when a connection was pulled last. It is cheap, but a write:
// the caller calls it at most once a minute for a connection.
func (s *Rows) TouchPulled(ctx context.Context, id string, at time.Time) error {
	return db.Failed("note a pull of "+id, s.db.Writing(ctx).Model(&ConnectionRow{}).
		Where("id = ? AND last_pulled_at < ?", id, db.Millis(at)).Update("last_pulled_at", db.Millis(at)).Error)
}

// lockConnection reads a row, not one in the trash, that no other transaction can change until this one
// ends. SQLite needs no lock: it has one writer.
func lockConnection(tx *gorm.DB, id string) (*ConnectionRow, error) {
	var row ConnectionRow
	err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ? AND "+Visible, id).Take(&row).Error
	return &row, err
}

// AnyActive reports whether a grant of some connections is in force.
func (s *Rows) AnyActive(ctx context.Context, ids []string) (bool, error) {
	var active int64
	err := s.db.Reading(ctx).Model(&ConnectionRow{}).Where("id IN ? AND state = ?", ids, string(connection.StateActive)).Count(&active).Error
	return active > 0, db.Failed("look for connections in force", err)
}

// ConnectionNames reads the names of some connections by id; those that are gone or in
// the trash are left out.
func (s *Rows) ConnectionNames(ctx context.Context, ids []string) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	for part := range slices.Chunk(ids, db.RowsAtOnce) {
		var rows []ConnectionRow
		if err := s.db.Reading(ctx).Select("id", "name").Where("id IN ? AND "+Visible, part).Find(&rows).Error; err != nil {
			return nil, db.Failed("read the names of connections", err)
		}
		for _, row := range rows {
			names[row.ID] = row.Name
		}
	}
	return names, nil
}

// Decided is a decision about grants that are behind a backup.
type Decided struct {
	// Decision is DecideTryOnce or DecideSendLinks.
	Decision string
	At       time.Time
}
