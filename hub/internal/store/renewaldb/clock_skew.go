package renewaldb

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// skewTolerance is how far ahead of now a row must be dated to be looked at; what is
// done about it is connection.SkewCorrected's decision.
const skewTolerance = time.Minute

// CorrectClockSkew corrects dates that a clock wrote that was ahead: it applies
// connection.SkewCorrected to every active connection that was changed or renewed after
// now, and returns how many that changed. It reads all connections, so it is called
// at start and when the clock was set back, and not else.
func (s *Rows) CorrectClockSkew(ctx context.Context, now time.Time) (int, error) {
	changed := 0
	limit := db.Millis(now.Add(skewTolerance))
	for after := ""; ; {
		var rows []grantdb.ConnectionRow
		err := s.db.Reading(ctx).Where("state = 'active' AND id > ? AND (renewed_at > ? OR updated_at > ?)", after, limit, limit).
			Order("id").Limit(db.RowsAtOnce).Find(&rows).Error
		if err != nil {
			return changed, db.Failed("find what is dated in the future", err)
		}
		if len(rows) == 0 {
			return changed, nil
		}
		after = rows[len(rows)-1].ID
		for _, c := range s.grants.ReadableOf(rows) {
			done, err := s.correctOne(ctx, now, c)
			if err != nil {
				return changed, err
			}
			if done {
				changed++
			}
		}
	}
}

func (s *Rows) correctOne(ctx context.Context, now time.Time, c connection.Connection) (bool, error) {
	corrected := c.SkewCorrected(now)
	if corrected.UpdatedAt.Equal(c.UpdatedAt) {
		return false, nil
	}
	return s.MoveConnection(ctx, c, corrected)
}

// MoveConnection saves a connection with other dates, unless it was changed or deleted
// meanwhile; false is then returned.
func (s *Rows) MoveConnection(ctx context.Context, c, moved connection.Connection) (bool, error) {
	err := s.grants.UpdateConnection(ctx, moved, c)
	if errors.Is(err, db.ErrStale) || errors.Is(err, db.ErrNotFound) { // renewed or deleted meanwhile
		return false, nil
	}
	return err == nil, err
}
