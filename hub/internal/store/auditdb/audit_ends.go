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

// endsAreAuthentic follows the chain's key in its sealed form once both ends have a MAC,
// so that write access to the database is not enough to remove it.
const endsAreAuthentic = 1

// openChain opens the chain's key. authentic is false for a chain of before its ends were
// authenticated.
func (s *Rows) openChain(chain *auditChainRow) (key []byte, authentic bool, err error) {
	opened, err := s.db.Box.Open(chain.MacKey, "audit_chain", "1", "mac_key")
	switch {
	case err == nil && len(opened) < sha256.Size:
		return nil, false, errors.New("the audit chain's key is too short: the row is not one of the hub's")
	case err != nil || len(opened) == sha256.Size:
		return opened, false, err
	}
	return opened[:sha256.Size], opened[sha256.Size] == endsAreAuthentic, nil
}

// sealChain seals the chain's key as one whose ends are authenticated, and authenticates
// them as they are.
func (s *Rows) sealChain(chain *auditChainRow, key []byte) (err error) {
	chain.EndMac, chain.BaseMac = chain.endMac(key), chain.baseMac(key)
	chain.MacKey, err = s.db.Box.Seal(append(key[:sha256.Size:sha256.Size], endsAreAuthentic), "audit_chain", "1", "mac_key")
	return err
}

func (c *auditChainRow) endMac(key []byte) []byte {
	return mac(key, fmt.Sprintf("audit end %d %s", c.Seq, hex.EncodeToString(c.Hash)))
}

func (c *auditChainRow) baseMac(key []byte) []byte {
	return mac(key, fmt.Sprintf("audit base %d %s", c.BaseSeq, hex.EncodeToString(c.BaseHash)))
}

func (c *auditChainRow) endIsAuthentic(key []byte) bool { return hmac.Equal(c.EndMac, c.endMac(key)) }

func (c *auditChainRow) baseIsAuthentic(key []byte) bool {
	return hmac.Equal(c.BaseMac, c.baseMac(key))
}

// AuthenticateChain authenticates the ends of a chain of before there were MACs, as they are
// found. It does so once.
func (s *Rows) AuthenticateChain(ctx context.Context) error {
	return db.Failed("authenticate the audit chain", s.db.Transaction(ctx, func(tx *gorm.DB) error {
		var chain auditChainRow
		err := locked(tx).Where("id = ?", chainID).Take(&chain).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		key, authentic, err := s.openChain(&chain)
		if err != nil || authentic {
			return nil //nolint:nilerr // the check of the key reports another key
		}
		if err := s.sealChain(&chain, key); err != nil {
			return err
		}
		s.db.Log.Info("audit chain ends are authenticated from now on; earlier records are trusted as found", "seq", chain.Seq, "base", chain.BaseSeq)
		return tx.Model(&auditChainRow{}).Where("id = ?", chainID).Updates(map[string]any{"mac_key": chain.MacKey, "end_mac": chain.EndMac, "base_mac": chain.BaseMac}).Error
	}))
}
