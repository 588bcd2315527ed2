package statsdb

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// AcuteGroup is how many connections of a service need a person now in the same way.
type AcuteGroup struct {
	ServiceID string
	Status    connection.Status
	// Never is set for those that were never authorized.
	Never bool
	Count int
}

// AcuteGroups counts the connections that need a person at a time, by service and by what
// they need, the largest group first.
func (s *Rows) AcuteGroups(ctx context.Context, now time.Time) ([]AcuteGroup, error) {
	var groups []AcuteGroup
	args := grantdb.StatusArgs(now)
	args["needed"] = []string{string(connection.StatusNeedsAuthorization), string(connection.StatusNeedsOperator)}
	err := s.db.Reading(ctx).Raw(`SELECT service_id, status, never, COUNT(*) AS count FROM (
			SELECT service_id, state = 'pending' AS never, `+grantdb.StatusSQL+` AS status FROM connections WHERE `+grantdb.Visible+`) AS statuses
		WHERE status IN @needed GROUP BY service_id, status, never ORDER BY count DESC, service_id, status, never`, args).Scan(&groups).Error
	return groups, db.Failed("count what needs a person", err)
}
