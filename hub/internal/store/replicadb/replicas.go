package replicadb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
)

// Replica is a run of a hub: the epoch of a data folder. Times are by the database's clock.
type Replica struct {
	ID    string
	Epoch int64
	// Name is what the configuration calls it.
	Name string
	// Place names the machine's start and the lock of the data folder: of two runs of one
	// place the earlier one is over. "" is not known.
	Place   string
	Version string
	// HeartbeatAt is its last sign of life, the Beat'th.
	StartedAt, HeartbeatAt time.Time
	Beat                   int64
	// FencedAt is since when it may not begin renewals; LeftAt is set if it stopped by
	// itself. Zero if not.
	FencedAt, LeftAt time.Time
}

// Owner is the replica as leases and intents have it.
func (r Replica) Owner() string { return fmt.Sprintf("%s/%d", r.ID, r.Epoch) }

// ErrNewerEpoch reports that the replica has been started with a newer epoch than the
// caller's: its data folder is a copy, or outdated.
var ErrNewerEpoch = errors.New("the replica has a newer epoch")

// EnterReplica begins an epoch and fences the earlier ones of its id, by one compare-and-set
// on the newest epoch, which must not be after known. It returns the rows of the id before,
// newest first. Errors: ErrNewerEpoch.
func (s *Rows) EnterReplica(ctx context.Context, r Replica, known int64) (before []Replica, err error) {
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		var rows []db.ReplicaRow
		if err := tx.Where("id = ?", r.ID).Order("epoch DESC").Find(&rows).Error; err != nil {
			return err
		}
		before = replicasOf(rows)
		if len(rows) > 0 && rows[0].Epoch > known {
			return ErrNewerEpoch
		}
		return s.insertReplica(tx, r)
	})
	return before, db.Failed("begin an epoch of "+r.ID, err)
}

func (s *Rows) insertReplica(tx *gorm.DB, r Replica) error {
	result := tx.Exec(`INSERT INTO replicas (id, epoch, owner, name, place, version, started_at, heartbeat_at, beat, fenced_at, left_at)
		VALUES (@id, @epoch, @owner, @name, @place, @version, @clock, @clock, 0, 0, 0) ON CONFLICT DO NOTHING`, map[string]any{
		"id": r.ID, "epoch": r.Epoch, "owner": r.Owner(), "name": r.Name, "place": r.Place, "version": r.Version, "clock": s.db.ClockSQL(),
	})
	if result.Error == nil && result.RowsAffected == 0 {
		return ErrNewerEpoch
	}
	if result.Error != nil {
		return result.Error
	}
	return tx.Model(&db.ReplicaRow{}).Where("id = ? AND epoch < ? AND fenced_at = 0", r.ID, r.Epoch).Update("fenced_at", s.db.ClockSQL()).Error
}

// Beat is a sign of life. Acked is the last one that the database has confirmed, Tried the
// last one that was sent. Place is where the replica is now: its journal's folder may have
// been made anew.
type Beat struct {
	Acked, Tried int64
	Place        string
}

// Heartbeat records that a replica is running and returns the database's time. It fails
// with ErrFenced if the epoch is fenced, missing, or has beats that are not this run's.
func (s *Rows) Heartbeat(ctx context.Context, owner string, b Beat) (time.Time, error) {
	var now []int64
	err := s.db.Writing(ctx).Raw(`UPDATE replicas SET heartbeat_at = @clock, beat = @tried, place = CASE WHEN @place = '' THEN place ELSE @place END
		WHERE owner = @owner AND fenced_at = 0 AND beat >= @acked AND beat <= @tried RETURNING heartbeat_at`,
		map[string]any{"clock": s.db.ClockSQL(), "owner": owner, "acked": b.Acked, "tried": b.Tried, "place": b.Place}).Scan(&now).Error
	if err == nil && len(now) == 0 {
		err = db.ErrFenced
	}
	if err != nil {
		return time.Time{}, db.Failed("note that this replica lives", err)
	}
	s.db.NoteBeat(owner, b.Tried)
	return db.TimeOf(now[0]), nil
}

// LeaveReplica records that a run is over: nothing of it is in flight any more.
func (s *Rows) LeaveReplica(ctx context.Context, owner string) error {
	return db.Failed("note that this replica stops", s.db.Writing(ctx).Model(&db.ReplicaRow{}).Where("owner = ? AND left_at = 0", owner).
		Updates(map[string]any{"left_at": s.db.ClockSQL(), "fenced_at": s.db.ClockSQL()}).Error)
}

// Replicas reads all runs that are known, newest sign of life first, and the database's
// time.
func (s *Rows) Replicas(ctx context.Context) ([]Replica, time.Time, error) {
	now, err := s.db.Clock(ctx)
	if err != nil {
		return nil, now, err
	}
	var rows []db.ReplicaRow
	err = s.db.Reading(ctx).Order("heartbeat_at DESC, owner").Find(&rows).Error
	return replicasOf(rows), now, db.Failed("read the replicas", err)
}

// AdoptRun transfers what earlier runs left to the new one: their open intents become its
// own, and their leases, also those of messages, are released. The caller has determined
// that these runs are over. It returns how many intents there were.
func (s *Rows) AdoptRun(ctx context.Context, owners []string, by string) (intents int64, err error) {
	if len(owners) == 0 {
		return 0, nil
	}
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		result := tx.Model(&renewaldb.IntentRow{}).Where("owner IN ?", owners).Update("owner", by)
		if result.Error != nil {
			return result.Error
		}
		intents = result.RowsAffected
		err := tx.Model(&grantdb.ConnectionRow{}).Where("lease_until > 0 AND lease_owner IN ?", owners).
			Updates(map[string]any{"lease_owner": "", "lease_until": 0}).Error
		if err != nil {
			return err
		}
		return tx.Model(&noticedb.DeliveryRow{}).Where("state = ? AND owner IN ?", noticedb.DeliverySending, owners).
			Updates(map[string]any{"state": noticedb.DeliveryWaiting, "owner": "", "lease_until": 0}).Error
	})
	return intents, db.Failed("take up what earlier runs left", err)
}

// MoveRun moves intents and leases of a run that continues under another name; of some
// connections only, if any are given. It returns how many intents there were.
func (s *Rows) MoveRun(ctx context.Context, from, to string, connections ...string) (intents int64, err error) {
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		of, held := tx.Model(&renewaldb.IntentRow{}).Where("owner = ?", from), tx.Model(&grantdb.ConnectionRow{}).Where("lease_until > 0 AND lease_owner = ?", from)
		if len(connections) > 0 {
			of, held = of.Where("connection_id IN ?", connections), held.Where("id IN ?", connections)
		}
		result := of.Update("owner", to)
		intents = result.RowsAffected
		if result.Error != nil {
			return result.Error
		}
		return held.Update("lease_owner", to).Error
	})
	return intents, db.Failed("move what is under way to the new identity", err)
}

// PruneReplicas removes runs that have given no heartbeat since before and own no open
// intent, except the newest of each id, which is kept as long as newest.
func (s *Rows) PruneReplicas(ctx context.Context, age, newest time.Duration) error {
	result := s.db.Writing(ctx).Where("heartbeat_at < ? AND owner NOT IN (SELECT owner FROM intents)", s.db.ClockPlusSQL(-age)).
		Where("heartbeat_at < ? OR epoch < (SELECT MAX(r.epoch) FROM replicas r WHERE r.id = replicas.id)", s.db.ClockPlusSQL(-newest)).
		Delete(&db.ReplicaRow{})
	return db.Failed("remove replicas that are long over", result.Error)
}

func replicasOf(rows []db.ReplicaRow) []Replica {
	replicas := make([]Replica, len(rows))
	for i, r := range rows {
		replicas[i] = Replica{
			ID: r.ID, Epoch: r.Epoch, Name: r.Name, Place: r.Place, Version: r.Version, StartedAt: db.TimeOf(r.StartedAt),
			HeartbeatAt: db.TimeOf(r.HeartbeatAt), Beat: r.Beat, FencedAt: db.TimeOf(r.FencedAt), LeftAt: db.TimeOf(r.LeftAt),
		}
	}
	return replicas
}
