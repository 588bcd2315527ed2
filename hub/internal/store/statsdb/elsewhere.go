package statsdb

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Elsewhere reads the state of the other active connections of a service: how many there
// are, how many of them got a token set after a time, and how many fail.
func (s *Rows) Elsewhere(ctx context.Context, serviceID, exceptID string, since time.Time) (connection.Elsewhere, error) {
	var e connection.Elsewhere
	err := s.db.Reading(ctx).Model(&grantdb.ConnectionRow{}).
		Select("COUNT(*), COALESCE(SUM(CASE WHEN renewed_at > ? THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN phase <> ? THEN 1 ELSE 0 END), 0)",
			db.Millis(since), string(connection.PhaseHealthy)).
		Where("service_id = ? AND id <> ? AND state = ?", serviceID, exceptID, string(connection.StateActive)).
		Row().Scan(&e.Others, &e.Renewed, &e.Failing)
	return e, db.Failed("look at the other grants of a service", err)
}
