package store

import "context"

// AnyPulled reports whether a token of any connection has ever been pulled.
func (s *Store) AnyPulled(ctx context.Context) (bool, error) {
	var rows []connectionRow
	err := s.reading(ctx).Select("id").Where("last_pulled_at > 0").Limit(1).Find(&rows).Error
	return len(rows) > 0, failed("look for a pulled token", err)
}
