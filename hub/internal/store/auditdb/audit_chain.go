package auditdb

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// verifyTries is how often a chain is walked that seems broken: records may have been
// summed up or removed while it was.
const verifyTries = 3

// VerifyAudit walks the chain from its beginning to its end as it is now, and
// returns how many records it has seen. Errors: *BrokenChainError.
func (s *Rows) VerifyAudit(ctx context.Context) (records int64, err error) {
	return s.verifyAudit(ctx, nil)
}

func (s *Rows) verifyAudit(ctx context.Context, anchor *AuditAnchor) (records int64, err error) {
	for range verifyTries {
		records, err = s.walkAudit(ctx, anchor)
		_, broken := errors.AsType[*BrokenChainError](err)
		_, missing := errors.AsType[*MissingAnchorError](err)
		if !broken && !missing {
			break
		}
	}
	return records, err
}

func (s *Rows) walkAudit(ctx context.Context, anchor *AuditAnchor) (records int64, err error) {
	chain, key, err := s.readChain(ctx)
	if err != nil {
		return 0, err
	}
	w := auditWalk{key: key, at: chain.BaseSeq, hash: chain.BaseHash, anchor: anchor}
	if err := w.begin(&chain); err != nil {
		return 0, err
	}
	for w.at < chain.Seq {
		if err := s.walkOn(ctx, &w, chain.Seq); err != nil {
			return w.records, err
		}
	}
	if w.at != chain.Seq || !bytes.Equal(w.hash, chain.Hash) {
		return w.records, &BrokenChainError{Seq: w.at}
	}
	if err := s.endsHere(ctx, chain.Seq); err != nil {
		return w.records, err
	}
	return w.records, w.end()
}

// readChain reads the chain's ends and its key. A chain that was not begun is empty.
func (s *Rows) readChain(ctx context.Context) (chain auditChainRow, key []byte, err error) {
	err = s.db.Reading(ctx).Where("id = ?", chainID).Take(&chain).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		chain.EndMac, chain.BaseMac = chain.endMac(nil), chain.baseMac(nil)
		return chain, nil, nil
	}
	if err != nil {
		return chain, nil, db.Failed("read the audit chain", err)
	}
	key, authentic, err := s.openChain(&chain)
	if err == nil && !authentic { // an old form of the row was put back
		err = &BrokenChainError{Seq: chain.Seq + 1, Part: ChainEnd}
	}
	return chain, key, err
}

// endsHere looks whether there are records behind the chain's end.
func (s *Rows) endsHere(ctx context.Context, seq int64) error {
	var behind int64
	if err := s.db.Reading(ctx).Model(&auditRow{}).Where("seq > ?", seq).Count(&behind).Error; err != nil || behind == 0 {
		return db.Failed("read the audit records", err)
	}
	chain, _, err := s.readChain(ctx)
	if err == nil && chain.Seq == seq { // and not because of a newer record
		err = &BrokenChainError{Seq: seq + 1, Part: ChainEnd}
	}
	return err
}

// auditWalk is how far a chain was walked, and the hash there.
type auditWalk struct {
	key     []byte
	at      int64
	hash    []byte
	records int64
	anchor  *AuditAnchor
	met     bool // the anchor
}

// begin checks both ends of the chain, and the anchor against its base.
func (w *auditWalk) begin(chain *auditChainRow) error {
	switch {
	case !chain.baseIsAuthentic(w.key):
		return &BrokenChainError{Seq: chain.BaseSeq + 1, Part: ChainBase}
	case !chain.endIsAuthentic(w.key):
		return &BrokenChainError{Seq: chain.Seq + 1, Part: ChainEnd}
	case w.anchor != nil && w.anchor.Seq < chain.BaseSeq:
		return ErrAnchorTooOld
	}
	return w.meet()
}

// meet compares the hash with that of the anchor, where the anchor is.
func (w *auditWalk) meet() error {
	if w.anchor == nil || w.at != w.anchor.Seq {
		return nil
	}
	w.met = hex.EncodeToString(w.hash) == w.anchor.Hash
	return w.end()
}

// end reports whether the anchor was found.
func (w *auditWalk) end() error {
	if w.anchor != nil && !w.met {
		return &MissingAnchorError{Seq: w.anchor.Seq}
	}
	return nil
}

// walkOn walks a part of the chain: the next records, and the links between them.
func (s *Rows) walkOn(ctx context.Context, w *auditWalk, end int64) error {
	const most = 1000
	var rows []auditRow
	if err := s.db.Reading(ctx).Where("seq > ? AND seq <= ?", w.at, end).Order("seq").Limit(most).Find(&rows).Error; err != nil {
		return db.Failed("read the audit records", err)
	}
	if len(rows) == most {
		end = rows[most-1].Seq
	}
	var links []auditLinkRow
	if err := s.db.Reading(ctx).Where("from_seq > ? AND from_seq <= ?", w.at, end).Order("from_seq").Find(&links).Error; err != nil {
		return db.Failed("read the links of the audit chain", err)
	}
	for w.at < end {
		switch next := w.at + 1; {
		case len(rows) > 0 && rows[0].Seq == next && hmac.Equal(rows[0].hashAfter(w.key, w.hash), rows[0].Hash):
			w.at, w.hash, rows = next, rows[0].Hash, rows[1:]
			w.records++
		case len(links) > 0 && links[0].FromSeq == next && links[0].ToSeq >= next && links[0].follows(w.key, w.hash):
			w.at, w.hash, links = links[0].ToSeq, links[0].HashAfter, links[1:]
		default:
			return &BrokenChainError{Seq: next}
		}
		if err := w.meet(); err != nil {
			return err
		}
	}
	return nil
}

// pruneAuditBatch bounds the records that one transaction removes: it locks the chain's
// end, and writers of audit records wait for it.
const pruneAuditBatch = 5000

// PruneAudit removes records from before a time, up to the first one that is not. The
// chain continues from the last one that was removed.
func (s *Rows) PruneAudit(ctx context.Context, before time.Time) (removed int64, err error) {
	for {
		n, err := s.pruneAuditOnce(ctx, before)
		removed += n
		if err != nil || n < pruneAuditBatch {
			return removed, db.Failed("remove old audit records", err)
		}
	}
}

func (s *Rows) pruneAuditOnce(ctx context.Context, before time.Time) (removed int64, err error) {
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		chain, key, err := s.auditChain(tx)
		if err != nil {
			return err
		}
		authentic := chain.baseIsAuthentic(key)
		var oldest []auditRow
		if err := tx.Select("seq", "at").Order("seq").Limit(pruneAuditBatch + 1).Find(&oldest).Error; err != nil {
			return err
		}
		// A summary is written later than the records that it covers: an old one behind a
		// newer record stays until that one is removed.
		keep := chain.Seq + 1
		for i, row := range oldest {
			if row.At >= db.Millis(before) || i == pruneAuditBatch {
				keep = row.Seq
				break
			}
			removed++
		}
		if removed == 0 {
			return nil
		}
		hash, err := s.hashBehind(tx, keep-1)
		if err != nil {
			return err
		}
		if err := tx.Where("seq < ?", keep).Delete(&auditRow{}).Error; err != nil {
			return err
		}
		if err := tx.Where("to_seq < ?", keep).Delete(&auditLinkRow{}).Error; err != nil {
			return err
		}
		chain.BaseSeq, chain.BaseHash = keep-1, hash
		columns := map[string]any{"base_seq": chain.BaseSeq, "base_hash": chain.BaseHash}
		if authentic { // a base that was changed stays so: what is removed later must not hide it
			columns["base_mac"] = chain.baseMac(key)
		}
		return tx.Model(&auditChainRow{}).Where("id = ?", chainID).Updates(columns).Error
	})
	return removed, err
}
