package keydb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Key is one version of a key of a service. It never prints its private part.
type Key struct {
	ID        string
	ServiceID string
	// Name is that of the description's key.
	Name string
	// Serial counts the versions of a key from 1.
	Serial int64
	Use    provider.KeyUse
	// Algorithm is that of JWS; "" for certificates.
	Algorithm string
	// KeyID is the kid under which the public part is known.
	KeyID  string
	Origin provider.KeyOrigin
	// Private is the key in PKCS #8, DER.
	Private []byte
	// Certificate is the chain in PEM, the key's own first; "" without one.
	Certificate string
	// UsedFrom is from when the hub uses it, until a later version takes its place.
	UsedFrom time.Time
	// EndsAt is the end of the certificate; zero without one.
	EndsAt    time.Time
	CreatedAt time.Time
}

// LogValue implements slog.LogValuer and shows no private part.
func (k Key) LogValue() slog.Value {
	return slog.GroupValue(slog.String("name", k.Name), slog.String("kid", k.KeyID))
}

// Format implements fmt.Formatter: any verb prints name and kid alone.
func (k Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "key %s %s", k.Name, k.KeyID) }

type keyRow struct {
	ID          string `gorm:"primaryKey"`
	ServiceID   string
	Name        string
	Serial      int64
	Purpose     string
	Algorithm   string
	Kid         string
	Origin      string
	Private     []byte
	Certificate string
	UsedFrom    int64
	EndsAt      int64
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
}

// TableName pins the table.
func (keyRow) TableName() string { return "service_keys" }

// Add stores a version of a key. Errors: db.ErrNameTaken if there is one of that serial.
func (s *Rows) Add(ctx context.Context, k Key) error {
	row := keyRow{
		ID: k.ID, ServiceID: k.ServiceID, Name: k.Name, Serial: k.Serial, Purpose: string(k.Use), Algorithm: k.Algorithm, Kid: k.KeyID,
		Origin: string(k.Origin), Certificate: k.Certificate, UsedFrom: db.Millis(k.UsedFrom), EndsAt: db.Millis(k.EndsAt), CreatedAt: db.Millis(k.CreatedAt),
	}
	tried := "store the key " + k.Name
	var err error
	if row.Private, err = s.db.SealJSON(k.Private, "service_keys", k.ID, "private"); err != nil {
		return db.Failed(tried, err)
	}
	err = s.db.Writing(ctx).Create(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fmt.Errorf("%s: %w", tried, db.ErrNameTaken)
	}
	return db.Failed(tried, err)
}

// OfService reads all versions of a service's keys, by name, the newest first.
func (s *Rows) OfService(ctx context.Context, serviceID string) ([]Key, error) {
	return s.read(s.db.Reading(ctx).Where("service_id = ?", serviceID))
}

// Versions reads the versions of one key, the newest first.
func (s *Rows) Versions(ctx context.Context, serviceID, name string) ([]Key, error) {
	return s.read(s.db.Reading(ctx).Where("service_id = ? AND name = ?", serviceID, name))
}

func (s *Rows) read(query *gorm.DB) ([]Key, error) {
	var rows []keyRow
	if err := query.Order("name, serial DESC").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the keys of a service", err)
	}
	keys := make([]Key, 0, len(rows))
	for _, row := range rows {
		k := Key{
			ID: row.ID, ServiceID: row.ServiceID, Name: row.Name, Serial: row.Serial, Use: provider.KeyUse(row.Purpose), Algorithm: row.Algorithm,
			KeyID: row.Kid, Origin: provider.KeyOrigin(row.Origin), Certificate: row.Certificate,
			UsedFrom: db.TimeOf(row.UsedFrom), EndsAt: db.TimeOf(row.EndsAt), CreatedAt: db.TimeOf(row.CreatedAt),
		}
		if err := s.db.OpenJSON(row.Private, &k.Private, "service_keys", row.ID, "private"); err != nil {
			return nil, db.Failed("read the key "+row.Name, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Delete removes one version of a key. Errors: ErrNotFound.
func (s *Rows) Delete(ctx context.Context, serviceID, name, keyID string) error {
	tried := "remove the key " + name
	result := s.db.Writing(ctx).Where("service_id = ? AND name = ? AND kid = ?", serviceID, name, keyID).Delete(&keyRow{})
	if result.Error == nil && result.RowsAffected == 0 {
		return fmt.Errorf("%s: %w", tried, db.ErrNotFound)
	}
	return db.Failed(tried, result.Error)
}
