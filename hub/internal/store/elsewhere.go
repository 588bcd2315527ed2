package store

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// Elsewhere reads the state of the other active connections of a service: how many there
// are, how many of them got a token set after a time, and how many fail.
func (s *Store) Elsewhere(ctx context.Context, serviceID, exceptID string, since time.Time) (connection.Elsewhere, error) {
	var e connection.Elsewhere
	err := s.reading(ctx).Model(&connectionRow{}).
		Select("COUNT(*), COALESCE(SUM(CASE WHEN renewed_at > ? THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN phase <> ? THEN 1 ELSE 0 END), 0)",
			millis(since), string(connection.PhaseHealthy)).
		Where("service_id = ? AND id <> ? AND state = ?", serviceID, exceptID, string(connection.StateActive)).
		Row().Scan(&e.Others, &e.Renewed, &e.Failing)
	return e, failed("look at the other grants of a service", err)
}
