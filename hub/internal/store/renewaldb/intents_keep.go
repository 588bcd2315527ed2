package renewaldb

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// keptReply is a reply on its way to the row of its intent.
type keptReply struct {
	id     string
	sealed []byte
}

// PutBackIntent writes an intent that the database has forgotten because it went back,
// whatever the lease and the generation of its connection are by now; one of an earlier
// generation, which came back with the database, gives way. put is false if there is
// an intent of this generation or a later one. Errors: none but the database's.
func (s *Rows) PutBackIntent(ctx context.Context, i Intent) (put bool, err error) {
	row := IntentRow{
		ID: i.ID, ConnectionID: i.ConnectionID, Generation: i.Generation, Fingerprint: i.Fingerprint, Owner: i.Owner,
		StartedAt: db.Millis(i.StartedAt), BegunAt: db.Millis(i.BegunAt), SendBy: db.Millis(i.SendBy), Deadline: db.Millis(i.Deadline),
		PluginVersion: i.PluginVersion, PluginSum: i.PluginSum,
	}
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("connection_id = ? AND generation < ?", i.ConnectionID, i.Generation).Delete(&IntentRow{}).Error; err != nil {
			return err
		}
		result := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		put = result.RowsAffected == 1
		return result.Error
	})
	return put, db.Failed("put back the renewal of "+i.ConnectionID, err)
}

// KeepReply seals the reply of an intent into its row, so that any replica can finish the
// renewal, also when this one's disk is lost. Concurrent replies share a transaction.
// Errors: ErrNotFound if the intent is closed.
func (s *Rows) KeepReply(ctx context.Context, intentID string, reply []byte) error {
	tried := "keep the reply of intent " + intentID
	sealed, err := s.sealReply(intentID, reply)
	if err != nil {
		return db.Failed(tried, err)
	}
	became, err := s.replies.Do(ctx, keptReply{intentID, sealed})
	if err == nil {
		err = became
	}
	return db.Failed(tried, err)
}

const keepRepliesMany = `UPDATE intents SET reply = v.reply
	FROM unnest(CAST(@ids AS text[]), CAST(@replies AS bytea[])) AS v(id, reply)
	WHERE intents.id = v.id RETURNING intents.id`

// keepReplies is the work of a batch.
func (s *Rows) keepReplies(ctx context.Context, batch []keptReply) ([]error, error) {
	kept := map[string]bool{}
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		if s.db.Dialect() == db.PostgreSQL {
			return keepRepliesPostgres(tx, batch, kept)
		}
		for _, r := range batch {
			result := tx.Model(&IntentRow{}).Where("id = ?", r.id).Update("reply", r.sealed)
			if result.Error != nil {
				return result.Error
			}
			kept[r.id] = result.RowsAffected > 0
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	results := make([]error, len(batch))
	for i, r := range batch {
		if !kept[r.id] {
			results[i] = gorm.ErrRecordNotFound
		}
	}
	return results, nil
}

func keepRepliesPostgres(tx *gorm.DB, batch []keptReply, kept map[string]bool) error {
	ids, replies := make([]string, len(batch)), make([][]byte, len(batch))
	for i, r := range batch {
		ids[i], replies[i] = r.id, r.sealed
	}
	var done []string
	err := tx.Raw(keepRepliesMany, map[string]any{"ids": &ids, "replies": &replies}).Scan(&done).Error
	for _, id := range done {
		kept[id] = true
	}
	return err
}
