package renewaldb

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// unfenced is what a replica needs to begin anything: its epoch is the newest and not fenced,
// and the database has not forgotten a sign of life that it had confirmed. One that has, as a
// standby that lagged, holds spent refresh tokens, and the hub finds that out with its next
// sign of life.
const unfenced = `EXISTS (SELECT 1 FROM replicas WHERE replicas.owner = @owner AND replicas.fenced_at = 0 AND replicas.beat >= @beat)`

// TakeLease takes a connection's lease for owner for a time by the database's clock, by one
// conditional statement: exactly one of many takers gets a lease that is free or has run
// out; the owner gets its own again. It reports false for a connection that is gone or in the trash, and for
// an owner that is fenced.
func (s *Rows) TakeLease(ctx context.Context, id, owner string, ttl time.Duration) (bool, error) {
	result := s.db.Writing(ctx).Exec(`UPDATE connections SET lease_owner = @owner, lease_until = @until
		WHERE id = @id AND trashed_at = 0 AND (lease_until <= @clock OR lease_owner = @owner) AND `+unfenced,
		map[string]any{"id": id, "owner": owner, "beat": s.db.BeatOf(owner), "until": s.db.ClockPlusSQL(ttl), "clock": s.db.ClockSQL()})
	return result.RowsAffected == 1, db.Failed("take the lease of "+id, result.Error)
}

// ExtendLease moves the end of a lease that owner holds to a time from now by the
// database's clock; one that it has lost stays as it is, and false is returned.
func (s *Rows) ExtendLease(ctx context.Context, id, owner string, ttl time.Duration) (bool, error) {
	result := s.db.Writing(ctx).Model(&grantdb.ConnectionRow{}).
		Where("id = ? AND lease_owner = ?", id, owner).Update("lease_until", s.db.ClockPlusSQL(ttl))
	return result.RowsAffected == 1, db.Failed("extend the lease of "+id, result.Error)
}

// FreeLeases gives the leases of some connections back that owner holds; others do
// not change.
func (s *Rows) FreeLeases(ctx context.Context, owner string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return s.freeLeases(ctx, "id IN ? AND lease_owner = ?", ids, owner)
}

// FreeLeasesOf gives back all leases of owner, for a hub that starts or stops and
// holds none.
func (s *Rows) FreeLeasesOf(ctx context.Context, owner string) error {
	return s.freeLeases(ctx, "lease_until > 0 AND lease_owner = ?", owner)
}

// FreeClaimed gives back the leases of owner that a ClaimDue with this mark took, for one
// that got no answer and may have taken them.
func (s *Rows) FreeClaimed(ctx context.Context, owner string, mark int) error {
	return s.freeLeases(ctx, "lease_until > 0 AND lease_until % 1000 = ? AND lease_owner = ?", mark, owner)
}

func (s *Rows) freeLeases(ctx context.Context, where string, args ...any) error {
	return db.Failed("free the leases of a replica", s.db.Writing(ctx).Model(&grantdb.ConnectionRow{}).
		Where(where, args...).Updates(map[string]any{"lease_owner": "", "lease_until": 0}).Error)
}

// claimable are the connections that ClaimDue may take. IS TRUE keeps SQLite from
// going through every active connection by the index that lists have.
const claimable = `SELECT id FROM connections
	WHERE (state = 'active') IS TRUE AND due_at > 0 AND due_at <= @now AND lease_until <= (SELECT @clock) AND ` + unfenced + `
	ORDER BY due_at LIMIT @limit`

// claimed is the end of a claim's lease. Its milliseconds are the mark of the claim.
const claimed = `(SELECT (@clock + CAST(@ttl AS bigint)) / 1000 * 1000 + CAST(@mark AS bigint))`

// SQLite has one writer, so the choice and the mark are one step.
const claimSQLite = `UPDATE connections SET lease_owner = @owner, lease_until = ` + claimed + `
	WHERE id IN (` + claimable + `) RETURNING *`

// PostgreSQL passes over rows that another replica is claiming. MATERIALIZED
// keeps the planner from choosing twice.
const claimPostgres = `WITH due AS MATERIALIZED (` + claimable + ` FOR UPDATE SKIP LOCKED)
	UPDATE connections SET lease_owner = @owner, lease_until = ` + claimed + `
	FROM due WHERE connections.id = due.id RETURNING connections.*`

// ClaimDue takes the leases of up to limit connections that are due at now by the hub's
// reckoning, longest due first, for a time by the database's clock, and returns them in no
// order. No two callers get the same one; an owner that is fenced gets none. mark, from 1 to
// 999, names the claim for FreeClaimed.
func (s *Rows) ClaimDue(ctx context.Context, now time.Time, owner string, ttl time.Duration, mark, limit int) ([]connection.Connection, error) {
	statement := claimSQLite
	if s.db.Dialect() == db.PostgreSQL {
		statement = claimPostgres
	}
	var rows []grantdb.ConnectionRow
	err := s.db.Writing(ctx).Raw(statement, map[string]any{
		"now": db.Millis(now), "owner": owner, "beat": s.db.BeatOf(owner), "clock": s.db.ClockSQL(), "ttl": ttl.Milliseconds(), "mark": mark, "limit": limit,
	}).Scan(&rows).Error
	if err != nil {
		return nil, db.Failed("claim what is due", err)
	}
	return s.grants.ReadableOf(rows), nil
}

// A connection under a lease can be claimed when that has run out.
const nextDue = `SELECT COALESCE(MIN(at), 0) FROM (
	SELECT MIN(due_at) AS at FROM connections WHERE due_at > 0 AND (state = 'active') IS TRUE AND lease_until = 0
	UNION ALL
	SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) AS at
	FROM connections WHERE lease_until > 0 AND due_at > 0 AND (state = 'active') IS TRUE
) AS soonest`

// NextDueAt returns when ClaimDue will find something next; zero if nothing is
// due ever. The time may have passed.
func (s *Rows) NextDueAt(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.db.Reading(ctx).Raw(nextDue).Scan(&at).Error
	return db.TimeOf(at), db.Failed("find what is due next", err)
}
