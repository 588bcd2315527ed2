package auditdb

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// AnchorFormat names the form of an anchor.
const AnchorFormat = "evergrant-audit-anchor-1"

// AuditAnchor is the head of the audit chain at a time, signed. A copy that is kept
// elsewhere shows later whether the chain still holds everything up to it, also if the
// whole database was restored to an earlier state.
type AuditAnchor struct {
	Format string `json:"format"`
	// Seq is the newest record that is not summed up later; pulls behind it are not covered.
	Seq int64 `json:"seq"`
	// Hash is the chain's hash there, in hexadecimal digits. It covers every record before.
	Hash string `json:"hash"`
	// At is when it was made, in UTC to the second (RFC 3339).
	At string `json:"at"`
	// PublicKey verifies Signature (Ed25519, base64); it is the same for all anchors of a
	// database.
	PublicKey string `json:"public_key"`
	Signature string `json:"signature"`
}

// MissingAnchorError reports that the chain lacks the record of an anchor.
type MissingAnchorError struct {
	// Seq is the anchored record.
	Seq int64
}

// Error implements error.
func (e *MissingAnchorError) Error() string {
	return fmt.Sprintf("the audit records do not hold the anchored head: record %d is missing or is not the one that was anchored", e.Seq)
}

// Errors of anchors.
var (
	// ErrAnchorTooOld is an anchor of records that audit.keep has removed.
	ErrAnchorTooOld = errors.New("the anchored record was removed since because of its age (audit.keep); use a newer anchor")
	// ErrAnchorForged is an anchor that no hub with this database and key has signed.
	ErrAnchorForged = errors.New("the anchor was not signed by a hub of this database: it was changed, is of another database, or the audit chain was begun anew")
	// ErrNoAudit is a database without audit records.
	ErrNoAudit = errors.New("there are no audit records to anchor yet")
)

// signedText is what the signature is of.
func (a AuditAnchor) signedText() []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n%s\n", a.Format, a.Seq, a.Hash, a.At)
}

// Verify reports whether an anchor was signed by a public key in base64.
func (a AuditAnchor) Verify(publicKey string) bool {
	key, err := base64.StdEncoding.DecodeString(publicKey)
	signature, err2 := base64.StdEncoding.DecodeString(a.Signature)
	return err == nil && err2 == nil && len(key) == ed25519.PublicKeySize && a.Format == AnchorFormat && ed25519.Verify(key, a.signedText(), signature)
}

// AnchorAudit verifies the chain and signs its head. Errors: *BrokenChainError, ErrNoAudit.
func (s *Rows) AnchorAudit(ctx context.Context, now time.Time) (AuditAnchor, error) {
	if _, err := s.VerifyAudit(ctx); err != nil {
		return AuditAnchor{}, err
	}
	_, root, err := s.readChain(ctx)
	if err != nil {
		return AuditAnchor{}, err
	}
	var heads []auditRow
	err = s.db.Reading(ctx).Select("seq", "hash").Where("act <> 'token.pull'").Order("seq DESC").Limit(1).Find(&heads).Error
	if err != nil {
		return AuditAnchor{}, db.Failed("read the head of the audit chain", err)
	}
	if len(heads) == 0 || len(root) == 0 {
		return AuditAnchor{}, ErrNoAudit
	}
	key := anchorKey(root)
	a := AuditAnchor{Format: AnchorFormat, Seq: heads[0].Seq, Hash: hex.EncodeToString(heads[0].Hash), At: now.UTC().Format(time.RFC3339), PublicKey: publicOf(key)}
	a.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, a.signedText()))
	return a, nil
}

// VerifyAnchor verifies the chain, and that it holds what an anchor has seen. Errors:
// *BrokenChainError, *MissingAnchorError, ErrAnchorForged, ErrAnchorTooOld.
func (s *Rows) VerifyAnchor(ctx context.Context, a AuditAnchor) (records int64, err error) {
	_, root, err := s.readChain(ctx)
	if err != nil {
		return 0, err
	}
	if len(root) == 0 || !a.Verify(publicOf(anchorKey(root))) {
		return 0, ErrAnchorForged
	}
	return s.verifyAudit(ctx, &a)
}

// anchorKey signs anchors. All hubs of a database have the same, over rotations of the
// sealing key too: it comes from the chain's key, which is sealed.
func anchorKey(root []byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(mac(root, "evergrant audit anchor"))
}

func publicOf(key ed25519.PrivateKey) string {
	public, _ := key.Public().(ed25519.PublicKey) // always is
	return base64.StdEncoding.EncodeToString(public)
}
