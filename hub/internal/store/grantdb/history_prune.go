package grantdb

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// HistoryBounds say how many replaced token sets of a connection are kept, and how
// long.
type HistoryBounds struct {
	// Count is how many of each connection are kept at most; 0 keeps none.
	Count int
	// Before is the time before which a set was replaced that is not kept.
	Before time.Time
}

// rotatedKept is how many sets are kept of a connection whose service rotates the refresh
// token: none of them can be restored, they only document what happened.
const rotatedKept = 3

// pruneBatch bounds the rows of one statement, so that others can write in between.
const pruneBatch = 1000

// historyPruned is the setting that holds up to which change connections were looked
// at: updated_at and id of the last one.
const historyPruned = "history.pruned"

// PruneHistory removes token sets beyond the bounds. It looks only at connections that
// have changed since the last time; what it did not come to is left to the next time.
func (s *Rows) PruneHistory(ctx context.Context, b HistoryBounds) error {
	if err := s.pruneHistoryByAge(ctx, b.Before); err != nil {
		return db.Failed("remove old token sets", err)
	}
	return db.Failed("remove surplus token sets", s.pruneHistoryByCount(ctx, b.Count))
}

func (s *Rows) pruneHistoryByAge(ctx context.Context, before time.Time) error {
	for {
		result := s.db.Writing(ctx).Exec(`DELETE FROM token_history WHERE (connection_id, generation) IN (
			SELECT connection_id, generation FROM token_history WHERE replaced_at < ? ORDER BY replaced_at LIMIT ?)`, db.Millis(before), pruneBatch)
		if result.Error != nil || result.RowsAffected < pruneBatch {
			return result.Error
		}
	}
}

// historyMark is how far connections were looked at.
type historyMark struct {
	At    int64  `json:"at"`
	ID    string `json:"id"`
	Count int    `json:"count"`
}

// pruneHistoryByCount walks the connections in the order of their changes.
func (s *Rows) pruneHistoryByCount(ctx context.Context, count int) error {
	mark, err := s.historyMark(ctx, count)
	for err == nil {
		var rows []ConnectionRow
		if err = s.db.Reading(ctx).Select("id", "updated_at", "policy").Where("(updated_at, id) > (?, ?)", mark.At, mark.ID).
			Order("updated_at, id").Limit(pruneBatch).Find(&rows).Error; err != nil || len(rows) == 0 {
			return err
		}
		if err = s.pruneHistoryOf(ctx, rows, count); err != nil {
			return err
		}
		last := rows[len(rows)-1]
		mark.At, mark.ID = last.UpdatedAt, last.ID
		text, _ := json.Marshal(mark) // plain words
		if err = s.db.SetSetting(ctx, historyPruned, string(text)); len(rows) < pruneBatch {
			return err
		}
	}
	return err
}

// historyMark is where to go on. Another bound begins anew.
func (s *Rows) historyMark(ctx context.Context, count int) (historyMark, error) {
	fresh := historyMark{Count: count}
	text, err := s.db.Setting(ctx, historyPruned)
	if errors.Is(err, db.ErrNotFound) {
		return fresh, nil
	}
	var mark historyMark
	if err != nil || json.Unmarshal([]byte(text), &mark) != nil || mark.Count != count {
		return fresh, err
	}
	return mark, nil
}

// pruneHistoryOf removes what is surplus of some connections. Generations count up by
// one, so the last sets are those nearest to the present generation.
func (s *Rows) pruneHistoryOf(ctx context.Context, rows []ConnectionRow, count int) error {
	ids := map[int][]string{}
	for _, row := range rows {
		var policy connection.Policy
		kept := count
		if json.Unmarshal([]byte(row.Policy), &policy) == nil && policy.Rotates() {
			kept = min(kept, rotatedKept)
		}
		ids[kept] = append(ids[kept], row.ID)
	}
	return s.db.Transaction(ctx, func(tx *gorm.DB) error {
		for kept, some := range ids {
			err := tx.Exec(`DELETE FROM token_history WHERE connection_id IN ? AND generation < (
				SELECT c.generation - `+strconv.Itoa(kept)+` FROM connections c WHERE c.id = token_history.connection_id)`, some).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
}
