package auditdb

import (
	"context"
	"errors"
	"sync"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// purposeKeys caches the keys that were derived for a purpose.
type purposeKeys struct{ keys sync.Map }

// PurposeKey is a secret of 32 bytes for one purpose, such as signing a cookie. All hubs on
// this database have the same, and it outlives a rotation of the sealing key: it comes from
// the audit chain's key, which is sealed, and does not lead back to it.
func (s *Rows) PurposeKey(ctx context.Context, purpose string) ([]byte, error) {
	if kept, ok := s.purposes.keys.Load(purpose); ok {
		if key, ok := kept.([]byte); ok {
			return key, nil
		}
	}
	root, err := s.chainKey(ctx)
	if err != nil {
		return nil, err
	}
	key := mac(root, "evergrant "+purpose)
	s.purposes.keys.Store(purpose, key)
	return key, nil
}

// chainKey reads the audit chain's key; the first caller ever makes it.
func (s *Rows) chainKey(ctx context.Context) (key []byte, err error) {
	var chain auditChainRow
	err = s.db.Reading(ctx).Where("id = ?", chainID).Take(&chain).Error
	if err == nil {
		key, _, err = s.openChain(&chain)
		return key, err
	}
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, db.Failed("read the audit chain's key", err)
	}
	err = s.db.Transaction(ctx, func(tx *gorm.DB) (err error) {
		_, key, err = s.auditChain(tx)
		return err
	})
	return key, db.Failed("make the audit chain's key", err)
}
