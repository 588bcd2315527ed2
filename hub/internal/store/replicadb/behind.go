package replicadb

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

type behindRow struct {
	ConnectionID string `gorm:"primaryKey"`
	RestoreID    string
	Lineage      string
	Generation   int64
	Reason       string
	ListedAt     int64
	Decision     string
	DecidedAt    int64
	DecidedBy    string
}

// TableName pins the table.
func (behindRow) TableName() string { return "behind" }

// Behind is a grant whose refresh token comes from a backup and may be spent, and for
// which no replica that has compared has a newer one.
type Behind struct {
	ConnectionID, Name, Title, ServiceID string
	Lineage                              string
	Generation                           int64
	// Reason is why it may have been renewed after the backup, one of the Behind constants.
	Reason   string
	ListedAt time.Time
	// ExpiresAt ends the access token, which is served until then; zero is not known.
	ExpiresAt time.Time
}

// Why a grant may have been renewed after the backup.
const (
	BehindDue        = "due"        // its renewal was due before the restore was noticed
	BehindExpired    = "expired"    // its token was over by then, or nearly: a pull renews such
	BehindRenewing   = "renewing"   // it was being renewed at the moment of the backup
	BehindAuthorized = "authorized" // a replica has a later authorization
)

// What a person can decide about a grant that is behind a backup.
const (
	DecideTryOnce   = "try_once"
	DecideSendLinks = "send_links"
)

// Key is what a listed grant is known by: it is listed only as long as its connection has
// that lineage and generation.
func (b Behind) Key() grantdb.Generation {
	return grantdb.Generation{Generation: b.Generation, Lineage: b.Lineage}
}

// nearlyExpired is the remaining lifetime below which a pull renews a token, if it
// requests no other.
const nearlyExpired = time.Minute

// candidate is a row that may be behind its backup.
type candidate struct {
	ID, Lineage, Policy, Reason string
	Generation                  int64
}

// listCandidates lists grants that may have been renewed between the moment of the backup
// and now, before any is brought forward or put on hold.
func (s *Rows) listCandidates(tx *gorm.DB, restoreID string) error {
	var found []candidate
	err := tx.Raw(`SELECT id, lineage, generation, policy, CASE
			WHEN EXISTS (SELECT 1 FROM intents i WHERE i.connection_id = connections.id) THEN 'renewing'
			WHEN due_at > 0 AND due_at <= @clock THEN 'due' ELSE 'expired' END AS reason
		FROM connections WHERE state IN ('active', 'paused') AND lineage <> '' AND (
			due_at > 0 AND due_at <= @clock OR expires_at > 0 AND expires_at <= @nearly
			OR EXISTS (SELECT 1 FROM intents i WHERE i.connection_id = connections.id))`,
		map[string]any{"clock": s.db.ClockSQL(), "nearly": s.db.ClockPlusSQL(nearlyExpired)}).Scan(&found).Error
	if err != nil {
		return err
	}
	return s.addBehind(tx, restoreID, found)
}

// addBehind lists those that rotate. One that is listed already is listed anew.
func (s *Rows) addBehind(tx *gorm.DB, restoreID string, found []candidate) error {
	now, err := s.clockIn(tx)
	if err != nil {
		return err
	}
	rows := make([]behindRow, 0, len(found))
	for _, c := range found {
		var p connection.Policy
		if err := json.Unmarshal([]byte(c.Policy), &p); err == nil && p.Rotates() {
			rows = append(rows, behindRow{ConnectionID: c.ID, RestoreID: restoreID, Lineage: c.Lineage, Generation: c.Generation, Reason: c.Reason, ListedAt: now})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return tx.Clauses(clause.OnConflict{UpdateAll: true}).CreateInBatches(rows, db.RowsAtOnce).Error
}

func (s *Rows) clockIn(tx *gorm.DB) (now int64, err error) {
	return now, tx.Raw("SELECT @clock", map[string]any{"clock": s.db.ClockSQL()}).Scan(&now).Error
}

// AddBehind lists grants for which a replica has a later authorization than the database.
func (s *Rows) AddBehind(ctx context.Context, restoreID string, connectionIDs []string) error {
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		for part := range slices.Chunk(connectionIDs, db.RowsAtOnce) {
			var found []candidate
			err := tx.Raw(`SELECT id, lineage, generation, policy, 'authorized' AS reason FROM connections WHERE id IN ? AND state IN ('active', 'paused')`, part).Scan(&found).Error
			if err == nil {
				err = s.addBehind(tx, restoreID, found)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.db.NotifyLocal(ctx, RestoreChanged)
	}
	return db.Failed("list what is behind the backup", err)
}

// stillBehind joins what is listed, undecided, and as it was when it was listed.
const stillBehind = `FROM behind b JOIN connections c ON c.id = b.connection_id AND c.lineage = b.lineage AND c.generation = b.generation
	WHERE b.decided_at = 0 AND c.state IN ('active', 'paused')`

// settleBehind reduces the candidates to those that are behind, and marks their rows.
func (s *Rows) settleBehind(tx *gorm.DB, restoreID string, complete bool) (listed int, err error) {
	gone := tx.Exec(`DELETE FROM behind WHERE decided_at = 0 AND connection_id NOT IN (SELECT b.connection_id ` + stillBehind + `)`)
	if gone.Error != nil {
		return 0, gone.Error
	}
	if complete {
		known := tx.Where("restore_id = ? AND decided_at = 0 AND reason <> ?", restoreID, BehindAuthorized).Delete(&behindRow{})
		if known.Error != nil {
			return 0, known.Error
		}
	}
	var ids []string
	if err := tx.Raw(`SELECT b.connection_id ` + stillBehind).Scan(&ids).Error; err != nil {
		return 0, err
	}
	cause := connection.Cause{Kind: connection.CauseBehind}.String()
	for part := range slices.Chunk(ids, db.RowsAtOnce) {
		err := tx.Exec(`UPDATE connections SET failure_cause = @cause, updated_at = updated_at + 1 WHERE id IN @ids AND state = 'active' AND failure = ''`,
			map[string]any{"cause": cause, "ids": part}).Error
		if err == nil {
			err = s.db.Notify(tx, part...)
		}
		if err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// Behind reads what is listed and undecided, by name, at most limit; 0 is no bound.
func (s *Rows) Behind(ctx context.Context, limit int) ([]Behind, error) {
	query, values := `SELECT b.connection_id, c.name, c.title, c.service_id, b.lineage, b.generation, b.reason, b.listed_at, c.expires_at `+stillBehind+` ORDER BY c.name`, []any(nil)
	if limit > 0 {
		query, values = query+` LIMIT ?`, []any{limit}
	}
	var rows []struct {
		ConnectionID, Name, Title, ServiceID, Lineage, Reason string
		Generation, ListedAt, ExpiresAt                       int64
	}
	err := s.db.Reading(ctx).Raw(query, values...).Scan(&rows).Error
	all := make([]Behind, len(rows))
	for i, r := range rows {
		all[i] = Behind{
			ConnectionID: r.ConnectionID, Name: r.Name, Title: r.Title, ServiceID: r.ServiceID, Lineage: r.Lineage, Generation: r.Generation,
			Reason: r.Reason, ListedAt: db.TimeOf(r.ListedAt), ExpiresAt: db.TimeOf(r.ExpiresAt),
		}
	}
	return all, db.Failed("read what is behind the backup", err)
}

// CountBehind counts what is listed and undecided.
func (s *Rows) CountBehind(ctx context.Context) (n int, err error) {
	return n, db.Failed("count what is behind the backup", s.db.Reading(ctx).Raw(`SELECT COUNT(*) `+stillBehind).Scan(&n).Error)
}

// DecideBehind notes what a person decided about listed grants, by name; nil is all of
// them. Those that are not listed any more are left out. It returns those it concerns, and
// what Filter.Decided finds them by.
func (s *Rows) DecideBehind(ctx context.Context, names []string, decision, by string) (decided []string, d grantdb.Decided, err error) {
	d.Decision = decision
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		now, err := s.clockIn(tx)
		if err != nil {
			return err
		}
		d.At = db.TimeOf(now)
		var rows []struct{ ConnectionID, Name string }
		if err := tx.Raw(`SELECT b.connection_id, c.name ` + stillBehind + ` ORDER BY c.name`).Scan(&rows).Error; err != nil {
			return err
		}
		var ids []string
		for _, r := range rows {
			if names == nil || slices.Contains(names, r.Name) {
				ids, decided = append(ids, r.ConnectionID), append(decided, r.Name)
			}
		}
		for part := range slices.Chunk(ids, db.RowsAtOnce) {
			changed := tx.Model(&behindRow{}).Where("connection_id IN ? AND decided_at = 0", part).
				Updates(map[string]any{"decision": decision, "decided_at": now, "decided_by": by})
			if changed.Error != nil {
				return changed.Error
			}
		}
		return s.db.Notify(tx, RestoreChanged)
	})
	if err == nil {
		s.db.NotifyLocal(ctx, RestoreChanged)
	}
	return decided, d, db.Failed("note what was decided", err)
}

// DecidedBehind reads the lineage and generation that a decision about a connection was
// made for. Errors: ErrNotFound.
func (s *Rows) DecidedBehind(ctx context.Context, connectionID, decision string) (grantdb.Generation, error) {
	var row behindRow
	err := s.db.Reading(ctx).Where("connection_id = ? AND decision = ?", connectionID, decision).Take(&row).Error
	return grantdb.Generation{Generation: row.Generation, Lineage: row.Lineage}, db.Failed("read what was decided about "+connectionID, err)
}
