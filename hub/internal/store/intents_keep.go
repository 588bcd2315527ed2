package store

import (
	"context"

	"gorm.io/gorm"
)

// keptReply is a reply on its way to the row of its intent.
type keptReply struct {
	id     string
	sealed []byte
}

// KeepReply seals the reply of an intent into its row, so that any replica can finish
// the renewal, also when this one's disk is gone for good. Replies that come at one
// time share a transaction. Errors: ErrNotFound if the intent is closed.
func (s *Store) KeepReply(ctx context.Context, intentID string, reply []byte) error {
	tried := "keep the reply of intent " + intentID
	sealed, err := s.sealReply(intentID, reply)
	if err != nil {
		return failed(tried, err)
	}
	became, err := s.replies.do(ctx, keptReply{intentID, sealed})
	if err == nil {
		err = became
	}
	return failed(tried, err)
}

const keepRepliesMany = `UPDATE intents SET reply = v.reply
	FROM unnest(CAST(@ids AS text[]), CAST(@replies AS bytea[])) AS v(id, reply)
	WHERE intents.id = v.id RETURNING intents.id`

// keepReplies is the work of a batch.
func (s *Store) keepReplies(ctx context.Context, batch []keptReply) ([]error, error) {
	kept := map[string]bool{}
	err := s.transaction(ctx, func(tx *gorm.DB) error {
		if s.dialect == PostgreSQL {
			return keepRepliesPostgres(tx, batch, kept)
		}
		for _, r := range batch {
			result := tx.Model(&intentRow{}).Where("id = ?", r.id).Update("reply", r.sealed)
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
