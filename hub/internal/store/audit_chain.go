package store

import (
	"bytes"
	"context"
	"crypto/hmac"
	"time"

	"gorm.io/gorm"
)

// VerifyAudit walks the chain from its beginning to its end as it is now, and
// returns how many records it has seen. Errors: *BrokenChainError.
func (s *Store) VerifyAudit(ctx context.Context) (records int64, err error) {
	var chain auditChainRow
	var key []byte
	err = s.transaction(ctx, func(tx *gorm.DB) (err error) {
		chain, key, err = s.auditChain(tx)
		return err
	})
	if err != nil {
		return 0, failed("read the audit chain", err)
	}
	at, hash := chain.BaseSeq, chain.BaseHash
	for at < chain.Seq {
		var rows []auditRow
		if err := s.reading(ctx).Where("seq > ? AND seq <= ?", at, chain.Seq).Order("seq").Limit(1000).Find(&rows).Error; err != nil {
			return records, failed("read the audit records", err)
		}
		if len(rows) == 0 {
			return records, &BrokenChainError{Seq: at + 1}
		}
		for i := range rows {
			if rows[i].Seq != at+1 || !hmac.Equal(rows[i].hashAfter(key, hash), rows[i].Hash) {
				return records, &BrokenChainError{Seq: at + 1}
			}
			at, hash = rows[i].Seq, rows[i].Hash
			records++
		}
	}
	if !bytes.Equal(hash, chain.Hash) {
		return records, &BrokenChainError{Seq: at}
	}
	return records, nil
}

// PruneAudit removes records from before a time. The chain goes on from the last
// one that was removed.
func (s *Store) PruneAudit(ctx context.Context, before time.Time) (removed int64, err error) {
	err = s.transaction(ctx, func(tx *gorm.DB) error {
		if _, _, err := s.auditChain(tx); err != nil {
			return err
		}
		var last auditRow
		result := tx.Where("at < ?", millis(before)).Order("seq DESC").Limit(1).Find(&last)
		if result.Error != nil || result.RowsAffected == 0 {
			return result.Error
		}
		deleted := tx.Where("seq <= ?", last.Seq).Delete(&auditRow{})
		if deleted.Error != nil {
			return deleted.Error
		}
		removed = deleted.RowsAffected
		return tx.Model(&auditChainRow{}).Where("id = ?", chainID).Updates(map[string]any{"base_seq": last.Seq, "base_hash": last.Hash}).Error
	})
	return removed, failed("remove old audit records", err)
}
