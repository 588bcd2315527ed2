package peopledb

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type passkeyRow struct {
	ID           string `gorm:"primaryKey"`
	UserID       string
	CredentialID string
	Title        string
	Credential   []byte
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	LastUsedAt   int64
}

// TableName pins the table.
func (passkeyRow) TableName() string { return "passkeys" }

// Passkey is a key that a person's device keeps, by which they log in.
type Passkey struct {
	ID, UserID string
	// CredentialID is the device's name for it, base64url without padding. Unique.
	CredentialID string
	// Title is the person's name for it.
	Title string
	// Credential is what an answer of the device is checked against, as access writes
	// it. It is sealed at rest.
	Credential            json.RawMessage
	CreatedAt, LastUsedAt time.Time
}

// CreatePasskey adds a passkey. Errors: ErrNameTaken if it exists already, ErrNotFound if
// its person is gone.
func (s *Rows) CreatePasskey(ctx context.Context, k Passkey) error {
	row, err := s.rowOfPasskey(k)
	if err != nil {
		return err
	}
	return db.Written("add a passkey", s.db.Writing(ctx).Create(row), "credential", k.CredentialID)
}

// Passkeys reads those of a person, the oldest first.
func (s *Rows) Passkeys(ctx context.Context, userID string) ([]Passkey, error) {
	var rows []passkeyRow
	if err := s.db.Reading(ctx).Where("user_id = ?", userID).Order("created_at, id").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the passkeys", err)
	}
	list := make([]Passkey, 0, len(rows))
	for i := range rows {
		k, err := s.passkeyOf(&rows[i])
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

// PasskeyByCredential reads one by the device's name for it. Errors: ErrNotFound.
func (s *Rows) PasskeyByCredential(ctx context.Context, credentialID string) (Passkey, error) {
	var row passkeyRow
	if err := s.db.Reading(ctx).Where("credential_id = ?", credentialID).Take(&row).Error; err != nil {
		return Passkey{}, db.Failed("read a passkey", err)
	}
	return s.passkeyOf(&row)
}

// PasskeyCounts returns how many passkeys each person has; a person without any is left
// out.
func (s *Rows) PasskeyCounts(ctx context.Context) (map[string]int, error) {
	var rows []struct {
		UserID string
		Count  int
	}
	err := s.db.Reading(ctx).Model(&passkeyRow{}).Select("user_id, COUNT(*) AS count").Group("user_id").Scan(&rows).Error
	counts := make(map[string]int, len(rows))
	for _, r := range rows {
		counts[r.UserID] = r.Count
	}
	return counts, db.Failed("count the passkeys", err)
}

// ChangePasskey reads a passkey, has it changed and writes it; two changes of one
// passkey follow each other. Errors: ErrNotFound, what the change returned.
func (s *Rows) ChangePasskey(ctx context.Context, id string, change func(*Passkey) error) error {
	return s.db.Transaction(ctx, func(tx *gorm.DB) error {
		var row passkeyRow
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&row).Error; err != nil {
			return db.Failed("change a passkey", err)
		}
		k, err := s.passkeyOf(&row)
		if err != nil {
			return err
		}
		if err := change(&k); err != nil {
			return err
		}
		next, err := s.rowOfPasskey(k)
		if err != nil {
			return err
		}
		return db.Failed("change a passkey", tx.Save(next).Error)
	})
}

// DeletePasskey removes a passkey of a person and returns it. Errors: ErrNotFound.
func (s *Rows) DeletePasskey(ctx context.Context, userID, id string) (Passkey, error) {
	var row passkeyRow
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("id = ? AND user_id = ?", id, userID).Take(&row).Error; err != nil {
			return db.Failed("remove a passkey", err)
		}
		return db.Changed("remove a passkey", tx.Where("id = ?", id).Delete(&passkeyRow{}))
	})
	return Passkey{ID: row.ID, UserID: row.UserID, Title: row.Title}, err
}

// DeletePasskeys removes all of a person.
func (s *Rows) DeletePasskeys(ctx context.Context, userID string) error {
	return db.Failed("remove the passkeys", s.db.Writing(ctx).Where("user_id = ?", userID).Delete(&passkeyRow{}).Error)
}

func (s *Rows) rowOfPasskey(k Passkey) (*passkeyRow, error) {
	sealed, err := s.db.SealJSON(k.Credential, "passkeys", k.ID, "credential")
	return &passkeyRow{
		ID: k.ID, UserID: k.UserID, CredentialID: k.CredentialID, Title: k.Title, Credential: sealed,
		CreatedAt: db.Millis(k.CreatedAt), LastUsedAt: db.Millis(k.LastUsedAt),
	}, err
}

func (s *Rows) passkeyOf(row *passkeyRow) (Passkey, error) {
	k := Passkey{
		ID: row.ID, UserID: row.UserID, CredentialID: row.CredentialID, Title: row.Title,
		CreatedAt: db.TimeOf(row.CreatedAt), LastUsedAt: db.TimeOf(row.LastUsedAt),
	}
	return k, s.db.OpenJSON(row.Credential, &k.Credential, "passkeys", row.ID, "credential")
}
