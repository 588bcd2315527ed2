package grantdb

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// scopeNeedJSON is a reported scope as the column holds it.
type scopeNeedJSON struct {
	Scope    string `json:"scope"`
	At       int64  `json:"at"`
	Declined bool   `json:"declined,omitempty"`
}

func scopeNeedsText(needs []connection.ScopeNeed) (string, error) {
	kept := make([]scopeNeedJSON, len(needs))
	for i, n := range needs {
		kept[i] = scopeNeedJSON{Scope: n.Scope, At: db.Millis(n.At), Declined: n.Declined}
	}
	return db.JSONText(kept)
}

func scopeNeedsOf(text string) (needs []connection.ScopeNeed, err error) {
	if text == "" || text == "[]" {
		return nil, nil
	}
	var kept []scopeNeedJSON
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		return nil, err
	}
	for _, n := range kept {
		needs = append(needs, connection.ScopeNeed{Scope: n.Scope, At: db.TimeOf(n.At), Declined: n.Declined})
	}
	return needs, nil
}

// SaveScopeNeeds saves the reported scopes of a connection, and nothing else. was is the
// connection as it was read, on which they were decided. Errors: ErrNotFound, ErrStale.
func (s *Rows) SaveScopeNeeds(ctx context.Context, c, was connection.Connection) error {
	tried := "note the scopes that the connection " + c.Name + " lacks"
	text, err := scopeNeedsText(c.ScopeNeeds)
	if err != nil {
		return db.Failed(tried, err)
	}
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		old, err := lockConnection(tx, c.ID)
		if err != nil {
			return err
		}
		if old.UpdatedAt != db.Millis(was.UpdatedAt) {
			return db.ErrStale
		}
		if err := s.db.Notify(tx, c.ID); err != nil {
			return err
		}
		return tx.Model(&ConnectionRow{}).Where("id = ?", c.ID).Updates(map[string]any{
			"scope_needs": text, "updated_at": db.Later(time.Now(), old.UpdatedAt),
		}).Error
	})
	if err == nil {
		s.db.NotifyLocal(ctx, c.ID)
	}
	return db.Failed(tried, err)
}
