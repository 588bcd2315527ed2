package store

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// AcuteGroup is how many connections of a service need a person now in the same way.
type AcuteGroup struct {
	ServiceID string
	Status    connection.Status
	// Never is set for those that were never authorised.
	Never bool
	Count int
}

// AcuteGroups counts the connections that need a person at a time, by service and by what
// they need, the largest group first.
func (s *Store) AcuteGroups(ctx context.Context, now time.Time) ([]AcuteGroup, error) {
	var groups []AcuteGroup
	args := statusArgs(now)
	args["needed"] = []string{string(connection.StatusNeedsAuthorization), string(connection.StatusNeedsOperator)}
	err := s.reading(ctx).Raw(`SELECT service_id, status, never, COUNT(*) AS count FROM (
			SELECT service_id, state = 'pending' AS never, `+statusSQL+` AS status FROM connections WHERE `+visible+`) AS statuses
		WHERE status IN @needed GROUP BY service_id, status, never ORDER BY count DESC, service_id, status, never`, args).Scan(&groups).Error
	return groups, failed("count what needs a person", err)
}
