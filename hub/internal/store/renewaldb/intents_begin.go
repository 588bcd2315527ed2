package renewaldb

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// BeginIntent commits an intent; concurrent ones share a transaction. It is the fence
// before a refresh token is spent: the owner must be the newest epoch of its replica and
// hold the connection's lease, and the generation must be the current one. BegunAt is set
// by the database's clock, and SendBy and Deadline are as far from it as they are from
// StartedAt. A fencing that is committed concurrently may take effect after it: the
// intent is open then, and the next owner settles it. Errors: ErrInUse if the connection
// has an open intent; ErrStale if lease or generation do not match, also if the
// connection is gone; ErrFenced, an ErrStale.
func (s *Rows) BeginIntent(ctx context.Context, i Intent) error {
	tried := "note the renewal of " + i.ConnectionID
	row := IntentRow{
		ID: i.ID, ConnectionID: i.ConnectionID, Generation: i.Generation, Fingerprint: i.Fingerprint, Owner: i.Owner,
		StartedAt: db.Millis(i.StartedAt), SendBy: db.Millis(i.SendBy), Deadline: db.Millis(i.Deadline),
		PluginVersion: i.PluginVersion, PluginSum: i.PluginSum,
	}
	var err error
	if row.Reply, err = s.sealReply(i.ID, i.Reply); err != nil {
		return db.Failed(tried, err)
	}
	became, err := s.intents.Do(ctx, row)
	if err == nil {
		err = became
	}
	return db.Failed(tried, err)
}

// A row that is being changed is waited for and judged as it then is: FOR SHARE.
const beginMany = `WITH fit AS MATERIALIZED (
	SELECT v.* FROM unnest(CAST(@ids AS text[]), CAST(@connections AS text[]), CAST(@generations AS bigint[]), CAST(@fingerprints AS text[]),
		CAST(@owners AS text[]), CAST(@started AS bigint[]), CAST(@sendby AS bigint[]), CAST(@deadlines AS bigint[]), CAST(@replies AS bytea[]), CAST(@versions AS text[]), CAST(@sums AS text[]))
		AS v(id, connection_id, generation, fingerprint, owner, started_at, send_by, deadline, reply, plugin_version, plugin_sum)
	JOIN connections c ON c.id = v.connection_id AND c.generation = v.generation AND c.lease_owner = v.owner
	JOIN replicas r ON r.owner = v.owner AND r.fenced_at = 0
	ORDER BY c.id FOR SHARE OF c)
	INSERT INTO intents (id, connection_id, generation, fingerprint, owner, started_at, begun_at, send_by, deadline, reply, plugin_version, plugin_sum)
	SELECT id, connection_id, generation, fingerprint, owner, started_at, now, send_by + now - started_at, deadline + now - started_at, reply, plugin_version, plugin_sum
	FROM fit, (SELECT ` + db.ClockPostgres + ` AS now) AS clock ON CONFLICT DO NOTHING RETURNING id`

// beginIntents is the work of a batch.
func (s *Rows) beginIntents(ctx context.Context, batch []IntentRow) ([]error, error) {
	begun := map[string]bool{}
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		if s.db.Dialect() != db.PostgreSQL {
			return s.insertIntents(tx, batch, begun)
		}
		var ids []string
		err := tx.Raw(beginMany, intentColumns(batch)).Scan(&ids).Error
		for _, id := range ids {
			begun[id] = true
		}
		return err
	})
	if err != nil && len(batch) > 1 {
		return db.OneByOne(ctx, batch, s.beginIntents), nil
	}
	results := make([]error, len(batch))
	for i, row := range batch {
		if err == nil && !begun[row.ID] {
			results[i] = s.whyNotBegun(ctx, row)
		}
	}
	return results, err
}

func (s *Rows) insertIntents(tx *gorm.DB, batch []IntentRow, begun map[string]bool) error {
	for _, row := range batch {
		unfit, err := unfits(tx, row)
		if err != nil {
			return err
		}
		if unfit != nil {
			continue
		}
		row.move(s.db.Now())
		result := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if result.Error != nil {
			return result.Error
		}
		begun[row.ID] = result.RowsAffected == 1
	}
	return nil
}

// whyNotBegun distinguishes an open intent from a lost lease or generation.
func (s *Rows) whyNotBegun(ctx context.Context, row IntentRow) error {
	unfit, err := unfits(s.db.Reading(ctx), row)
	if err == nil {
		err = unfit
	}
	if err == nil {
		err = fmt.Errorf("another renewal of it is open: %w", db.ErrInUse)
	}
	return err
}

// move dates an intent by the database's clock.
func (r *IntentRow) move(now time.Time) {
	by := db.Millis(now) - r.StartedAt
	r.BegunAt, r.SendBy, r.Deadline = db.Millis(now), r.SendBy+by, r.Deadline+by
}

// unfits returns why an intent may not begin: its owner is fenced, does not hold the
// lease, or the generation is not the current one; nil if it may.
func unfits(tx *gorm.DB, row IntentRow) (why, err error) {
	var current, leased int64
	if err = tx.Model(&db.ReplicaRow{}).Where("owner = ? AND fenced_at = 0", row.Owner).Count(&current).Error; err != nil {
		return nil, err
	}
	if current == 0 {
		return fmt.Errorf("%s: %w", row.Owner, db.ErrFenced), nil
	}
	err = tx.Model(&grantdb.ConnectionRow{}).Where("id = ? AND generation = ? AND lease_owner = ?", row.ConnectionID, row.Generation, row.Owner).Count(&leased).Error
	if err == nil && leased == 0 {
		why = fmt.Errorf("the lease or generation %d is lost: %w", row.Generation, db.ErrStale)
	}
	return why, err
}

// intentColumns turns rows into the arrays of beginMany.
func intentColumns(batch []IntentRow) map[string]any {
	n := len(batch)
	ids, connections, fingerprints, owners := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	generations, started, replies := make([]int64, n), make([]int64, n), make([][]byte, n)
	sendBy, deadlines := make([]int64, n), make([]int64, n)
	versions, sums := make([]string, n), make([]string, n)
	for i, r := range batch {
		ids[i], connections[i], fingerprints[i], owners[i] = r.ID, r.ConnectionID, r.Fingerprint, r.Owner
		generations[i], started[i], sendBy[i], deadlines[i], replies[i] = r.Generation, r.StartedAt, r.SendBy, r.Deadline, r.Reply
		versions[i], sums[i] = r.PluginVersion, r.PluginSum
	}
	return map[string]any{
		"ids": &ids, "connections": &connections, "generations": &generations, "fingerprints": &fingerprints, "owners": &owners,
		"started": &started, "sendby": &sendBy, "deadlines": &deadlines, "replies": &replies, "versions": &versions, "sums": &sums,
	}
}
