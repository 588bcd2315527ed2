package renewaldb

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// IntentRow is a row of intents.
type IntentRow struct {
	ID           string `gorm:"primaryKey"`
	ConnectionID string
	Generation   int64
	Fingerprint  string
	Owner        string
	StartedAt    int64
	BegunAt      int64
	SendBy       int64
	Deadline     int64
	Reply        []byte

	PluginVersion, PluginSum string
}

// TableName pins the table.
func (IntentRow) TableName() string { return "intents" }

// Intent records that a renewal has begun. It is committed before the request is sent and
// removed with the outcome, so an existing one means a renewal with an unknown outcome.
type Intent struct {
	ID           string
	ConnectionID string
	// Generation is the one whose tokens are spent.
	Generation int64
	// Fingerprint names the refresh token without revealing it.
	Fingerprint string
	// Owner is the replica and epoch that began; its journal may hold the reply.
	Owner string
	// StartedAt is when it began by the wall clock of that hub, as its journal has it;
	// BegunAt is the same time by the database's clock.
	StartedAt, BegunAt time.Time
	// SendBy is when its request may no longer be written, and Deadline when its reply
	// is no longer read, both by the database's clock.
	SendBy, Deadline time.Time
	// ReadAt is the database's time when OpenIntent read it.
	ReadAt time.Time
	// Reply is what KeepReply kept; nil if nothing.
	Reply []byte
	// PluginVersion and PluginSum are of the plugin that makes its requests: its version and
	// the SHA-256 of its program; "" is not known.
	PluginVersion, PluginSum string
}

// OpenIntent reads the open intent of a connection and the database's clock. Errors: ErrNotFound.
func (s *Rows) OpenIntent(ctx context.Context, connectionID string) (*Intent, error) {
	var row struct {
		Intent IntentRow `gorm:"embedded"`
		ReadAt int64
	}
	err := s.db.Reading(ctx).Model(&IntentRow{}).Select("intents.*, ? AS read_at", s.db.ClockSQL()).Where("connection_id = ?", connectionID).Take(&row).Error
	if err != nil {
		return nil, db.Failed("read the open intent of "+connectionID, err)
	}
	intent, err := s.intentOf(&row.Intent)
	if err != nil {
		return nil, err
	}
	intent.ReadAt = db.TimeOf(row.ReadAt)
	return intent, nil
}

// OpenIntents reads the open intents of a replica, oldest first; of all replicas
// if owner is empty.
func (s *Rows) OpenIntents(ctx context.Context, owner string) ([]Intent, error) {
	query := s.db.Reading(ctx).Order("started_at, id")
	if owner != "" {
		query = query.Where("owner = ?", owner)
	}
	var rows []IntentRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, db.Failed("read the open intents", err)
	}
	intents := make([]Intent, 0, len(rows))
	for i := range rows {
		intent, err := s.intentOf(&rows[i])
		if err != nil {
			return nil, err
		}
		intents = append(intents, *intent)
	}
	return intents, nil
}

// IntentOpen reports whether an intent still exists: its connection was not taken over
// since it was begun.
func (s *Rows) IntentOpen(ctx context.Context, id string) (bool, error) {
	var count int64
	err := s.db.Reading(ctx).Model(&IntentRow{}).Where("id = ?", id).Count(&count).Error
	return count > 0, db.Failed("look for the intent "+id, err)
}

// DropIntent removes an intent whose outcome is known otherwise; one that is
// gone already is no error.
func (s *Rows) DropIntent(ctx context.Context, id string) error {
	return db.Failed("drop the intent "+id, dropIntent(s.db.Writing(ctx), id))
}

func dropIntent(tx *gorm.DB, id string) error {
	return tx.Where("id = ?", id).Delete(&IntentRow{}).Error
}

func (s *Rows) sealReply(id string, reply []byte) ([]byte, error) {
	if reply == nil {
		return nil, nil
	}
	return s.db.Box.Seal(reply, "intents", id, "reply")
}

func (s *Rows) intentOf(row *IntentRow) (*Intent, error) {
	i := &Intent{
		ID: row.ID, ConnectionID: row.ConnectionID, Generation: row.Generation, Fingerprint: row.Fingerprint,
		Owner: row.Owner, StartedAt: db.TimeOf(row.StartedAt), BegunAt: db.TimeOf(row.BegunAt), SendBy: db.TimeOf(row.SendBy), Deadline: db.TimeOf(row.Deadline),
		PluginVersion: row.PluginVersion, PluginSum: row.PluginSum,
	}
	if i.BegunAt.IsZero() { // of an older version
		i.BegunAt = i.StartedAt
	}
	if len(row.Reply) == 0 {
		return i, nil
	}
	var err error
	i.Reply, err = s.db.Box.Open(row.Reply, "intents", row.ID, "reply")
	return i, db.Failed("read the intent "+row.ID, err)
}
