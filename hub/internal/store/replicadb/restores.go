package replicadb

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type restoreRow struct {
	ID        string `gorm:"primaryKey"`
	Cause     string
	NoticedBy string
	NoticedAt int64
	BackupAt  int64
	Until     int64
	EndedAt   int64
	Open      *int64
}

// TableName pins the table.
func (restoreRow) TableName() string { return "restores" }

type restoreReplicaRow struct {
	RestoreID  string `gorm:"primaryKey"`
	ReplicaID  string `gorm:"primaryKey"`
	Name       string
	ComparedAt int64
	Forwarded  int64
}

// TableName pins the table.
func (restoreReplicaRow) TableName() string { return "restore_replicas" }

// Restore records that the database went back: a backup was restored, or a standby that
// lagged was promoted. Times are by the database's clock.
type Restore struct {
	ID string
	// Cause is how it was noticed, one of the Restore constants; NoticedBy is the name of
	// the replica that did.
	Cause, NoticedBy string
	NoticedAt        time.Time
	// BackupAt is the moment that the rows are of, or one before it; zero is not known.
	BackupAt time.Time
	// Until is how long replicas are waited for, EndedAt when they no longer were; zero
	// while rotating renewals are held.
	Until, EndedAt time.Time
}

// How a restore was noticed.
const (
	RestoreBackup    = "backup"     // evergrant restore has left its mark
	RestoreDatabase  = "database"   // a data folder had got further than the database
	RestoreTokenSets = "token_sets" // a data folder has newer token sets that the database had confirmed
)

// Held reports whether rotating renewals are held because of it.
func (r Restore) Held() bool { return r.ID != "" && r.EndedAt.IsZero() }

// RestoreChanged is the id for OnChange when a restore begins, ends, or is decided about;
// it is no connection's id.
const RestoreChanged = "restore"

// Restores is the state of the newest restore.
type Restores struct {
	// Newest is the last one that was noticed; its ID is "" if there was none.
	Newest Restore
	// Waiting counts the replicas that have not compared for it.
	Waiting int
	// Listed counts the grants without a decision, LastDecided is the time of the last
	// decision: together they change whenever the list does.
	Listed      int
	LastDecided time.Time
	// Now is the database's time.
	Now time.Time
}

// Restores reads the state of the newest restore, in one small statement.
func (s *Rows) Restores(ctx context.Context) (at Restores, err error) {
	var row struct {
		Restore     restoreRow `gorm:"embedded"`
		Waiting     int
		Listed      int
		LastDecided int64
		Clock       int64
	}
	err = s.db.Reading(ctx).Raw(`SELECT r.*, c.*, (SELECT COUNT(*) FROM restore_replicas x WHERE x.restore_id = r.id AND x.compared_at = 0) AS waiting
		FROM (SELECT @clock AS clock, COALESCE(SUM(CASE WHEN decided_at = 0 THEN 1 ELSE 0 END), 0) AS listed, COALESCE(MAX(decided_at), 0) AS last_decided FROM behind) c
		LEFT JOIN restores r ON r.id = (SELECT id FROM restores ORDER BY noticed_at DESC, id DESC LIMIT 1)`, map[string]any{"clock": s.db.ClockSQL()}).Scan(&row).Error
	return Restores{Newest: restoreOf(row.Restore), Waiting: row.Waiting, Listed: row.Listed, LastDecided: db.TimeOf(row.LastDecided), Now: db.TimeOf(row.Clock)},
		db.Failed("read how the last restore stands", err)
}

// HasRestore reports whether a restore is known to the database.
func (s *Rows) HasRestore(ctx context.Context, id string) (bool, error) {
	var n int64
	err := s.db.Reading(ctx).Model(&restoreRow{}).Where("id = ?", id).Count(&n).Error
	return n > 0, db.Failed("look for the restore "+id, err)
}

// BeginRestore records that the database went back, from when on rotating renewals are on
// hold; wait bounds the wait for the replicas awaited. Grants that may have been renewed
// since the backup become candidates for the list of those behind it, in their present
// state. While another restore is open it is joined: begun is false.
func (s *Rows) BeginRestore(ctx context.Context, r Restore, wait time.Duration, awaited []Replica) (begun bool, err error) {
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		overdue := tx.Exec(`UPDATE restores SET open = NULL, ended_at = @clock WHERE open = 1 AND until <= @clock`, map[string]any{"clock": s.db.ClockSQL()})
		if overdue.Error != nil { // it came back with the backup
			return overdue.Error
		}
		opened := tx.Exec(`INSERT INTO restores (id, cause, noticed_by, noticed_at, backup_at, until, ended_at, open)
			VALUES (@id, @cause, @by, @clock, @backup, @until, 0, 1) ON CONFLICT DO NOTHING`, map[string]any{
			"id": r.ID, "cause": r.Cause, "by": r.NoticedBy, "clock": s.db.ClockSQL(), "backup": db.Millis(r.BackupAt), "until": s.db.ClockPlusSQL(wait),
		})
		if begun = opened.RowsAffected == 1; opened.Error != nil || !begun {
			return opened.Error
		}
		for _, a := range awaited {
			row := restoreReplicaRow{RestoreID: r.ID, ReplicaID: a.ID, Name: a.Name}
			if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
				return err
			}
		}
		if err := s.listCandidates(tx, r.ID); err != nil {
			return err
		}
		return s.db.Notify(tx, RestoreChanged)
	})
	if err == nil && begun {
		s.db.NotifyLocal(ctx, RestoreChanged)
	}
	return begun, db.Failed("note that the database went back", err)
}

// Compared notes that a replica has compared its newest token sets for a restore, and how
// many connections it brought forward.
func (s *Rows) Compared(ctx context.Context, restoreID string, by Replica, forwarded int) error {
	err := s.db.Writing(ctx).Exec(`INSERT INTO restore_replicas (restore_id, replica_id, name, compared_at, forwarded) VALUES (@restore, @replica, @name, @clock, @forwarded)
		ON CONFLICT (restore_id, replica_id) DO UPDATE SET name = excluded.name, compared_at = excluded.compared_at,
			forwarded = restore_replicas.forwarded + excluded.forwarded`, map[string]any{
		"restore": restoreID, "replica": by.ID, "name": by.Name, "clock": s.db.ClockSQL(), "forwarded": forwarded,
	}).Error
	if err == nil {
		s.db.NotifyLocal(ctx, RestoreChanged)
	}
	return db.Failed("note that this replica has compared", err)
}

// ComparedReplica is how far a replica has got with a restore.
type ComparedReplica struct {
	ID, Name string
	// ComparedAt is zero while it is waited for, or if it never came.
	ComparedAt time.Time
	// Forwarded counts the connections that it brought forward.
	Forwarded int
}

// RestoreReplicas reads the replicas that were waited for and those that have compared.
func (s *Rows) RestoreReplicas(ctx context.Context, restoreID string) ([]ComparedReplica, error) {
	var rows []restoreReplicaRow
	err := s.db.Reading(ctx).Where("restore_id = ?", restoreID).Order("name, replica_id").Find(&rows).Error
	all := make([]ComparedReplica, len(rows))
	for i, r := range rows {
		all[i] = ComparedReplica{ID: r.ReplicaID, Name: r.Name, ComparedAt: db.TimeOf(r.ComparedAt), Forwarded: int(r.Forwarded)}
	}
	return all, db.Failed("read who has compared", err)
}

// EndRestore ends a hold: grants that were brought forward or authorized again leave the
// list, and the rest waits for a person. Exactly one of many callers ends it. With
// complete no grant is behind: the replicas that have compared have all there was. It
// returns how many are listed.
func (s *Rows) EndRestore(ctx context.Context, id string, complete bool) (ended bool, listed int, err error) {
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		closed := tx.Exec(`UPDATE restores SET open = NULL, ended_at = @clock WHERE id = @id AND open = 1`, map[string]any{"id": id, "clock": s.db.ClockSQL()})
		if ended = closed.RowsAffected == 1; closed.Error != nil || !ended {
			return closed.Error
		}
		n, err := s.settleBehind(tx, id, complete)
		listed = n
		if err != nil {
			return err
		}
		return s.db.Notify(tx, RestoreChanged)
	})
	if err == nil && ended {
		s.db.NotifyLocal(ctx, RestoreChanged)
	}
	return ended, listed, db.Failed("end the wait after a restore", err)
}

func restoreOf(r restoreRow) Restore {
	return Restore{
		ID: r.ID, Cause: r.Cause, NoticedBy: r.NoticedBy, NoticedAt: db.TimeOf(r.NoticedAt), BackupAt: db.TimeOf(r.BackupAt), Until: db.TimeOf(r.Until), EndedAt: db.TimeOf(r.EndedAt),
	}
}
