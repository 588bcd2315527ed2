package store

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// skewTolerance is how far ahead of now a row must be dated to be looked at; what is
// done about it is connection.SkewCorrected's decision.
const skewTolerance = time.Minute

// CorrectClockSkew corrects dates that a clock wrote that was ahead: it applies
// connection.SkewCorrected to every active connection that was changed or renewed after
// now, and returns how many that changed. It reads all connections, so it is called
// at start and when the clock was set back, and not else.
func (s *Store) CorrectClockSkew(ctx context.Context, now time.Time) (int, error) {
	changed := 0
	limit := millis(now.Add(skewTolerance))
	for after := ""; ; {
		var rows []connectionRow
		err := s.reading(ctx).Where("state = 'active' AND id > ? AND (renewed_at > ? OR updated_at > ?)", after, limit, limit).
			Order("id").Limit(rowsAtOnce).Find(&rows).Error
		if err != nil {
			return changed, failed("find what is dated in the future", err)
		}
		if len(rows) == 0 {
			return changed, nil
		}
		after = rows[len(rows)-1].ID
		for _, c := range s.readableOf(rows) {
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

func (s *Store) correctOne(ctx context.Context, now time.Time, c connection.Connection) (bool, error) {
	corrected := c.SkewCorrected(now)
	if corrected.UpdatedAt.Equal(c.UpdatedAt) {
		return false, nil
	}
	return s.moveOne(ctx, c, corrected)
}

func (s *Store) moveOne(ctx context.Context, c, moved connection.Connection) (bool, error) {
	err := s.UpdateConnection(ctx, moved, c)
	if errors.Is(err, ErrStale) || errors.Is(err, ErrNotFound) { // renewed or deleted meanwhile
		return false, nil
	}
	return err == nil, err
}
