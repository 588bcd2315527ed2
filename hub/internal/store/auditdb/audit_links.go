package auditdb

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// auditLinkRow replaces the records FromSeq to ToSeq, which were summarized.
type auditLinkRow struct {
	FromSeq    int64 `gorm:"primaryKey;autoIncrement:false"`
	ToSeq      int64
	HashBefore []byte
	HashAfter  []byte
	Mac        []byte
}

// TableName pins the table.
func (auditLinkRow) TableName() string { return "audit_links" }

// sealedBy is the hash that requires the chain's key.
func (l *auditLinkRow) sealedBy(key []byte) []byte {
	// Without a record before it the hash is empty, which a driver may read as nil.
	fields, _ := json.Marshal([]any{"link", l.FromSeq, l.ToSeq, hex.EncodeToString(l.HashBefore), hex.EncodeToString(l.HashAfter)})
	mac := hmac.New(sha256.New, key)
	mac.Write(fields)
	return mac.Sum(nil)
}

// follows reports whether a link is the hub's own and follows on a hash.
func (l *auditLinkRow) follows(key, hash []byte) bool {
	return bytes.Equal(l.HashBefore, hash) && hmac.Equal(l.Mac, l.sealedBy(key))
}

// sumBatch bounds the records that one transaction sums up: it holds the chain's end.
const sumBatch = 5000

// SumPulls replaces records of pulls from before a time by what sum makes of them, a
// batch of the oldest ones at a time, until there are none or ctx ends. The sums go to
// the end of the chain; links take the places of what they replace, so that the chain
// can be verified as before. It returns how many records were replaced. Errors:
// BrokenChainError at the first record that is not as it was written; it and what was to
// be summed up with it stay.
func (s *Rows) SumPulls(ctx context.Context, before time.Time, sum func([]AuditRecord) ([]AuditRecord, error)) (replaced int, err error) {
	for {
		n, err := s.sumPullsOnce(ctx, before, sum)
		replaced += n
		if err != nil || n < sumBatch {
			return replaced, db.Failed("sum up the pulls in the audit records", err)
		}
	}
}

func (s *Rows) sumPullsOnce(ctx context.Context, before time.Time, sum func([]AuditRecord) ([]AuditRecord, error)) (n int, err error) {
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		_, key, err := s.auditChain(tx)
		if err != nil {
			return err
		}
		var rows []auditRow
		// The act is written out: a partial index is not found through a parameter.
		err = tx.Where("act = 'token.pull' AND at < ?", db.Millis(before)).Order("at").Limit(sumBatch).Find(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		slices.SortFunc(rows, func(a, b auditRow) int { return int(a.Seq - b.Seq) })
		records := make([]AuditRecord, len(rows))
		for i := range rows {
			if records[i], err = rows[i].record(); err != nil {
				return err
			}
		}
		sums, err := sum(records)
		if err != nil {
			return err
		}
		if err := s.linkRuns(tx, key, rows); err != nil {
			return err
		}
		n = len(rows)
		return s.appendAudit(tx, sums)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// linkRuns removes records, which are in order, and puts links in their places.
func (s *Rows) linkRuns(tx *gorm.DB, key []byte, rows []auditRow) error {
	for len(rows) > 0 {
		run := 1
		for run < len(rows) && rows[run].Seq == rows[run-1].Seq+1 {
			run++
		}
		if err := s.linkRun(tx, key, rows[:run]); err != nil {
			return err
		}
		rows = rows[run:]
	}
	return nil
}

// linkRun removes records that follow each other. Links on both sides become one with
// theirs, so that there are never more links than records between them. Records that were
// changed stay: a link in their place would be the hub's own word for them.
func (s *Rows) linkRun(tx *gorm.DB, key []byte, rows []auditRow) error {
	from, last := rows[0].Seq, rows[len(rows)-1]
	before, err := s.hashBehind(tx, from-1)
	if err != nil {
		return err
	}
	if err := unchanged(key, before, rows); err != nil {
		return err
	}
	link := auditLinkRow{FromSeq: from, ToSeq: last.Seq, HashBefore: append([]byte{}, before...), HashAfter: last.Hash}
	var beside []auditLinkRow
	if err := tx.Where("to_seq = ? OR from_seq = ?", from-1, last.Seq+1).Find(&beside).Error; err != nil {
		return err
	}
	for _, l := range beside {
		if l.ToSeq == from-1 {
			link.FromSeq, link.HashBefore = l.FromSeq, append([]byte{}, l.HashBefore...)
		} else {
			link.ToSeq, link.HashAfter = l.ToSeq, l.HashAfter
		}
		if err := tx.Delete(&auditLinkRow{}, "from_seq = ?", l.FromSeq).Error; err != nil {
			return err
		}
	}
	link.Mac = link.sealedBy(key)
	if err := tx.Where("seq >= ? AND seq <= ?", from, last.Seq).Delete(&auditRow{}).Error; err != nil {
		return err
	}
	return tx.Create(&link).Error
}

// unchanged checks records that follow each other against the hash before them.
func unchanged(key, hash []byte, rows []auditRow) error {
	for _, row := range rows {
		if !hmac.Equal(row.hashAfter(key, hash), row.Hash) {
			return &BrokenChainError{Seq: row.Seq}
		}
		hash = row.Hash
	}
	return nil
}

// hashBehind is the chain's hash after a record, which may be gone.
func (s *Rows) hashBehind(tx *gorm.DB, seq int64) ([]byte, error) {
	var rows []auditRow
	if err := tx.Select("hash").Where("seq = ?", seq).Find(&rows).Error; err != nil || len(rows) > 0 {
		return first(rows, func(r auditRow) []byte { return r.Hash }), err
	}
	var links []auditLinkRow
	if err := tx.Where("to_seq = ?", seq).Find(&links).Error; err != nil || len(links) > 0 {
		return first(links, func(l auditLinkRow) []byte { return l.HashAfter }), err
	}
	var chain auditChainRow
	if err := tx.Where("id = ?", chainID).Take(&chain).Error; err != nil {
		return nil, err
	}
	if chain.BaseSeq != seq {
		return nil, &BrokenChainError{Seq: seq}
	}
	return chain.BaseHash, nil
}

func first[T any](rows []T, of func(T) []byte) []byte {
	if len(rows) == 0 {
		return nil
	}
	return of(rows[0])
}
