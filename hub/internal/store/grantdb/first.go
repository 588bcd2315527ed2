package grantdb

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// AnyPulled reports whether a token of any connection has ever been pulled.
func (s *Rows) AnyPulled(ctx context.Context) (bool, error) {
	var rows []ConnectionRow
	err := s.db.Reading(ctx).Select("id").Where("last_pulled_at > 0").Limit(1).Find(&rows).Error
	return len(rows) > 0, db.Failed("look for a pulled token", err)
}
