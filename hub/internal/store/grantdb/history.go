package grantdb

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// TokenHistoryRow is a row of token_history.
type TokenHistoryRow struct {
	ConnectionID string `gorm:"primaryKey"`
	Generation   int64  `gorm:"primaryKey;autoIncrement:false"`
	Tokens       []byte
	ReplacedAt   int64
}

// TableName pins the table.
func (TokenHistoryRow) TableName() string { return "token_history" }

// sealedID is the row's identity in associated data.
func (r TokenHistoryRow) sealedID() string {
	return r.ConnectionID + "/" + strconv.FormatInt(r.Generation, 10)
}

// PastTokenSet is a token set that another one has replaced.
type PastTokenSet struct {
	connection.PastSet

	ReplacedAt time.Time
}

// History reads the replaced token sets of a connection, newest first.
func (s *Rows) History(ctx context.Context, connectionID string) ([]PastTokenSet, error) {
	var rows []TokenHistoryRow
	err := s.db.Reading(ctx).Where("connection_id = ?", connectionID).Order("generation DESC").Find(&rows).Error
	if err != nil {
		return nil, db.Failed("read the history of "+connectionID, err)
	}
	past := make([]PastTokenSet, 0, len(rows))
	for _, row := range rows {
		set, err := s.pastSetOf(row)
		if err != nil {
			return nil, err
		}
		past = append(past, *set)
	}
	return past, nil
}

// PastTokens reads one replaced token set. Errors: ErrNotFound.
func (s *Rows) PastTokens(ctx context.Context, connectionID string, generation int64) (*PastTokenSet, error) {
	var row TokenHistoryRow
	err := s.db.Reading(ctx).Where("connection_id = ? AND generation = ?", connectionID, generation).Take(&row).Error
	if err != nil {
		return nil, db.Failed(fmt.Sprintf("read generation %d of %s", generation, connectionID), err)
	}
	return s.pastSetOf(row)
}

func (s *Rows) pastSetOf(row TokenHistoryRow) (*PastTokenSet, error) {
	tokens, err := s.openTokens(row.Tokens, "token_history", row.sealedID())
	if err != nil {
		return nil, fmt.Errorf("read the history of %s: %w", row.ConnectionID, err)
	}
	past := PastTokenSet{ReplacedAt: db.TimeOf(row.ReplacedAt)}
	past.Generation, past.Tokens = row.Generation, tokens
	return &past, nil
}

// turnPage keeps the token set of old if c has another generation. A revoked
// grant is forgotten altogether.
func (s *Rows) turnPage(tx *gorm.DB, old *ConnectionRow, c connection.Connection) error {
	if c.State == connection.StateRevoked {
		return tx.Where("connection_id = ?", old.ID).Delete(&TokenHistoryRow{}).Error
	}
	past, err := s.PastOf(old, c)
	if err != nil || past == nil {
		return err
	}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(past).Error
}

// PastOf is the token set of old on its way into the history; nil if c is of the
// same generation or there was no set.
func (s *Rows) PastOf(old *ConnectionRow, c connection.Connection) (*TokenHistoryRow, error) {
	if c.Generation == old.Generation || len(old.Tokens) == 0 {
		return nil, nil
	}
	tokens, err := s.openTokens(old.Tokens, "connections", old.ID)
	if err != nil {
		// An unreadable old set must not prevent saving the new one.
		s.db.Log.Error("read replaced token set failed, not kept in the history", "connection", old.Name, "error", err)
		return nil, nil
	}
	row := TokenHistoryRow{ConnectionID: old.ID, Generation: old.Generation, ReplacedAt: db.Millis(c.UpdatedAt)}
	row.Tokens, err = s.sealTokens(tokens, "token_history", row.sealedID())
	return &row, err
}
