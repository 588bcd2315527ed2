package statsdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// Stats are the numbers of connections by status at a time, and of what waits.
type Stats struct {
	ByStatus map[connection.Status]int
	// Expired and Expiring count access tokens of active connections that have expired,
	// and that expire within each of the times; Soonest is the first end, zero for none.
	Expired  int
	Expiring []int
	Soonest  time.Time
	// Persons counts connections that need a person within each of the times.
	Persons []int
	// Overdue counts renewals that were due more than a minute ago; OldestDue is the
	// due time of the one that is due longest, zero if none is.
	Overdue   int
	OldestDue time.Time
	// BulkItems counts connections that acts on many have still to come to.
	BulkItems int
}

// overdueAfter is how late a renewal is before it counts: jitter and claims take
// seconds.
const overdueAfter = time.Minute

// Stats reads the numbers for metrics; within are the times to count by. It reads each
// table once.
func (s *Rows) Stats(ctx context.Context, now time.Time, within []time.Duration) (Stats, error) {
	var at Stats
	var err error
	if at.ByStatus, err = s.grants.CountByStatus(ctx, now); err != nil {
		return at, err
	}
	if err := s.statsByTime(ctx, now, within, &at); err != nil {
		return at, err
	}
	var waiting int64
	if err := s.db.Reading(ctx).Model(&bulkdb.BulkItemRow{}).Where("state = ? AND run_id IN (SELECT id FROM bulk_runs WHERE done_at = 0)", bulkdb.BulkWaiting).Count(&waiting).Error; err != nil {
		return at, db.Failed("count what acts on many connections have to do", err)
	}
	at.BulkItems = int(waiting)
	return at, nil
}

// statsByTime counts by times, in one scan of a covering index.
func (s *Rows) statsByTime(ctx context.Context, now time.Time, within []time.Duration, at *Stats) error {
	const expires = "state = 'active' AND expires_at > 0"
	const person = "state = 'active' AND person_by > 0"
	columns := []string{
		fmt.Sprintf("COALESCE(SUM(CASE WHEN %s AND expires_at <= @now THEN 1 ELSE 0 END), 0)", expires),
		fmt.Sprintf("COALESCE(MIN(CASE WHEN %s THEN expires_at END), 0)", expires),
	}
	args := map[string]any{"now": db.Millis(now)}
	for i, w := range within {
		end := fmt.Sprintf("w%d", i)
		args[end] = db.Millis(now.Add(w))
		columns = append(columns,
			fmt.Sprintf("COALESCE(SUM(CASE WHEN %s AND expires_at > @now AND expires_at <= @%s THEN 1 ELSE 0 END), 0)", expires, end),
			fmt.Sprintf("COALESCE(SUM(CASE WHEN %s AND person_by <= @%s THEN 1 ELSE 0 END), 0)", person, end))
	}
	found := make([]int64, len(columns))
	to := make([]any, len(found))
	for i := range found {
		to[i] = &found[i]
	}
	if err := s.db.Reading(ctx).Raw("SELECT "+strings.Join(columns, ", ")+" FROM connections", args).Row().Scan(to...); err != nil {
		return db.Failed("count the connections by their times", err)
	}
	at.Expired, at.Soonest = int(found[0]), db.TimeOf(found[1])
	for i := range within {
		at.Expiring = append(at.Expiring, int(found[2+2*i]))
		at.Persons = append(at.Persons, int(found[3+2*i]))
	}
	return s.statsDue(ctx, now, at)
}

// statsDue counts what is overdue by the index of due times: there is little of it.
func (s *Rows) statsDue(ctx context.Context, now time.Time, at *Stats) error {
	var oldest int64
	err := s.db.Reading(ctx).Raw("SELECT COUNT(*) FROM connections WHERE due_at > 0 AND due_at < ?", db.Millis(now.Add(-overdueAfter))).Row().Scan(&at.Overdue)
	if err == nil {
		err = s.db.Reading(ctx).Raw("SELECT COALESCE(MIN(due_at), 0) FROM connections WHERE due_at > 0 AND due_at <= ?", db.Millis(now)).Row().Scan(&oldest)
	}
	at.OldestDue = db.TimeOf(oldest)
	return db.Failed("count what is overdue", err)
}
