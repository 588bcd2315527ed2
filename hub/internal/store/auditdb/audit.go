package auditdb

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type auditRow struct {
	Seq        int64 `gorm:"primaryKey;autoIncrement:false"`
	At         int64
	ActorKind  string
	Actor      string
	Address    string
	Act        string
	ObjectKind string
	Object     string
	Detail     string
	Outcome    string
	Hash       []byte
}

// TableName pins the table.
func (auditRow) TableName() string { return "audit_records" }

type auditChainRow struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Seq      int64
	Hash     []byte
	BaseSeq  int64
	BaseHash []byte
	MacKey   []byte
	EndMac   []byte
	BaseMac  []byte
}

// TableName pins the table.
func (auditChainRow) TableName() string { return "audit_chain" }

// AuditRecord is one record of the audit log.
type AuditRecord struct {
	// Seq is given by AppendAudit: 1, 2, 3 and so on. Records that were summed up leave
	// a gap.
	Seq int64
	At  time.Time
	// ActorKind is person, key, hub or link; Actor the login or title; Address where
	// the request came from.
	ActorKind, Actor, Address string
	// Act is what was done, like plugin.approve; Object on what.
	Act, ObjectKind, Object string
	// Outcome is begun, done, refused or failed; "" in records from before outcomes were
	// recorded.
	Outcome string
	// Detail holds further fields by name. Never a secret.
	Detail map[string]string
}

// BrokenChainError is where the audit records were changed.
type BrokenChainError struct {
	// Seq is the first record that is not as it was written, or not there.
	Seq int64
	// Part is empty, or which end of the chain is not the one that a hub has written.
	Part ChainPart
}

// ChainPart is an end of the chain.
type ChainPart string

// The ends of the chain.
const (
	// ChainEnd is broken if the newest records were removed.
	ChainEnd ChainPart = "end"
	// ChainBase is broken if the oldest records were removed, or the record of those that
	// audit.keep removed was replaced.
	ChainBase ChainPart = "base"
)

// Error implements error.
func (e *BrokenChainError) Error() string {
	switch e.Part {
	case ChainEnd:
		return fmt.Sprintf("the audit records were cut: the chain's end behind record %d is not what a hub has written", e.Seq-1)
	case ChainBase:
		return fmt.Sprintf("the audit records were cut: the chain's base before record %d is not what a hub has written", e.Seq)
	}
	return fmt.Sprintf("the audit records were changed: record %d is not what was written", e.Seq)
}

const chainID = 1

// AppendAudit writes records at the end of the chain.
func (s *Rows) AppendAudit(ctx context.Context, records ...AuditRecord) error {
	if len(records) == 0 {
		return nil
	}
	return db.Failed("write the audit record", s.db.Transaction(ctx, func(tx *gorm.DB) error { return s.appendAudit(tx, records) }))
}

func (s *Rows) appendAudit(tx *gorm.DB, records []AuditRecord) error {
	chain, key, err := s.auditChain(tx)
	if err != nil {
		return err
	}
	// An end that was changed stays as it is: what follows must not hide it.
	authentic := chain.endIsAuthentic(key)
	rows := make([]auditRow, 0, len(records))
	for _, r := range records {
		row, err := rowOfAudit(r)
		if err != nil {
			return err
		}
		chain.Seq++
		row.Seq = chain.Seq
		chain.Hash = row.hashAfter(key, chain.Hash)
		row.Hash = chain.Hash
		rows = append(rows, row)
	}
	if err := tx.CreateInBatches(rows, 500).Error; err != nil {
		return err
	}
	return tx.Model(&auditChainRow{}).Where("id = ?", chainID).Updates(chain.endColumns(key, authentic)).Error
}

// endColumns are what is written of the chain's end.
func (c *auditChainRow) endColumns(key []byte, authentic bool) map[string]any {
	columns := map[string]any{"seq": c.Seq, "hash": c.Hash}
	if authentic {
		columns["end_mac"] = c.endMac(key)
	}
	return columns
}

// locked has rows read for a change of them.
func locked(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.Locking{Strength: "UPDATE"}) }

// auditChain locks the chain's end; the first caller ever makes it.
func (s *Rows) auditChain(tx *gorm.DB) (auditChainRow, []byte, error) {
	var chain auditChainRow
	err := locked(tx).Where("id = ?", chainID).Take(&chain).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		key := make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails
		first := auditChainRow{ID: chainID, Hash: []byte{}, BaseHash: []byte{}}
		if err := s.sealChain(&first, key); err != nil {
			return chain, nil, err
		}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&first).Error; err != nil {
			return chain, nil, err
		}
		err = locked(tx).Where("id = ?", chainID).Take(&chain).Error
		if err != nil {
			return chain, nil, err
		}
	} else if err != nil {
		return chain, nil, err
	}
	key, _, err := s.openChain(&chain)
	return chain, key, err
}

// hashAfter is the record's hash behind another one.
func (r *auditRow) hashAfter(key, before []byte) []byte {
	words := []any{r.Seq, r.At, r.ActorKind, r.Actor, r.Address, r.Act, r.ObjectKind, r.Object, r.Detail}
	if r.Outcome != "" { // records from before keep their hash
		words = append(words, r.Outcome)
	}
	fields, _ := json.Marshal(words) // plain words
	mac := hmac.New(sha256.New, key)
	mac.Write(before)
	mac.Write(fields)
	return mac.Sum(nil)
}

func rowOfAudit(r AuditRecord) (auditRow, error) {
	detail, err := db.JSONText(r.Detail)
	return auditRow{
		At: db.Millis(r.At), ActorKind: r.ActorKind, Actor: r.Actor, Address: r.Address, Act: r.Act,
		ObjectKind: r.ObjectKind, Object: r.Object, Detail: detail, Outcome: r.Outcome,
	}, err
}

func (r *auditRow) record() (AuditRecord, error) {
	record := AuditRecord{
		Seq: r.Seq, At: db.TimeOf(r.At), ActorKind: r.ActorKind, Actor: r.Actor, Address: r.Address, Act: r.Act,
		ObjectKind: r.ObjectKind, Object: r.Object, Outcome: r.Outcome,
	}
	if err := json.Unmarshal([]byte(r.Detail), &record.Detail); err != nil {
		return record, fmt.Errorf("read the audit record %d: %w", r.Seq, err)
	}
	return record, nil
}

// AuditFilter selects records. Zero values select all.
type AuditFilter struct {
	// Actor, Object, ObjectKind and Outcome are whole; Act is whole, or all that begin with it
	// if it ends in a dot.
	Actor, Act, ObjectKind, Object, Outcome string
	// From and To bound the time: From is in, To is out.
	From, To time.Time
	// Before pages: only records with a smaller Seq.
	Before int64
	// Limit is how many at most; 0 is 100.
	Limit int
}

// AuditRecords reads the newest records, newest first.
func (s *Rows) AuditRecords(ctx context.Context, f AuditFilter) ([]AuditRecord, error) {
	q := s.db.Reading(ctx).Order("seq DESC").Limit(100)
	if f.Limit > 0 {
		q = q.Limit(f.Limit)
	}
	for column, value := range map[string]string{"actor": f.Actor, "object_kind": f.ObjectKind, "object": f.Object, "outcome": f.Outcome} {
		if value != "" {
			q = q.Where(column+" = ?", value)
		}
	}
	switch {
	case f.Act == "":
	case f.Act[len(f.Act)-1] == '.':
		q = q.Where("act >= ? AND act < ?", f.Act, f.Act[:len(f.Act)-1]+"/") // the character after the dot
	default:
		q = q.Where("act = ?", f.Act)
	}
	if !f.From.IsZero() {
		q = q.Where("at >= ?", db.Millis(f.From))
	}
	if !f.To.IsZero() {
		q = q.Where("at < ?", db.Millis(f.To))
	}
	if f.Before > 0 {
		q = q.Where("seq < ?", f.Before)
	}
	var rows []auditRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, db.Failed("read the audit records", err)
	}
	records := make([]AuditRecord, 0, len(rows))
	for i := range rows {
		r, err := rows[i].record()
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}
