package auditdb

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// ErrNothingSealed reports that the database holds nothing sealed yet that an encryption
// key could open.
var ErrNothingSealed = errors.New("nothing is sealed in the database yet")

// ErrOtherKey reports that the encryption key is not the one that the database was sealed
// with.
var ErrOtherKey = errors.New("the key does not open what the database holds")

// KeyFits opens something that a hub on this database has sealed. Errors:
// ErrNothingSealed, ErrOtherKey.
func (s *Rows) KeyFits(ctx context.Context) error {
	_, err := s.instanceIdentity(ctx)
	return err
}

// InstanceProof answers a nonce as only a hub with this database and this key can. It reveals
// nothing else. Errors: as KeyFits.
func (s *Rows) InstanceProof(ctx context.Context, nonce string) (string, error) {
	key, err := s.instanceIdentity(ctx)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(mac(key, nonce)), nil
}

// instanceIdentity is a secret that all hubs on this database share: it comes from the audit
// chain's key, and does not lead back to it.
func (s *Rows) instanceIdentity(ctx context.Context) ([]byte, error) {
	var chain auditChainRow
	err := s.db.Reading(ctx).Where("id = ?", chainID).Take(&chain).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, ErrNothingSealed
	}
	if err != nil {
		return nil, db.Failed("read what the key has sealed", err)
	}
	key, _, err := s.openChain(&chain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOtherKey, err)
	}
	return mac(key, "evergrant hub identity"), nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
