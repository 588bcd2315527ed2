package plugindb

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type nameRow struct {
	Name     string `gorm:"primaryKey"`
	KeyID    string
	AgreedAt int64
	AgreedBy string
}

// TableName pins the table.
func (nameRow) TableName() string { return "plugin_names" }

// Name is whose key a name of providers is of.
type Name struct {
	// Name is "acme.*" for all providers of the publisher acme, "crm" for one whose name
	// has no publisher.
	Name string
	// KeyID is the key that signs packages with it.
	KeyID string
	// AgreedAt and AgreedBy are who agreed to that key.
	AgreedAt time.Time
	AgreedBy string
}

// SaveName ties a name to a key, over another one.
func (s *Rows) SaveName(ctx context.Context, n Name) error {
	row := nameRow{Name: n.Name, KeyID: n.KeyID, AgreedAt: db.Millis(n.AgreedAt), AgreedBy: n.AgreedBy}
	return db.Failed("tie the name "+n.Name+" to a key", s.db.Writing(ctx).Save(&row).Error)
}

// Names reads whose the names are, by name.
func (s *Rows) Names(ctx context.Context) ([]Name, error) {
	var rows []nameRow
	if err := s.db.Reading(ctx).Order("name").Find(&rows).Error; err != nil {
		return nil, db.Failed("read whose names of providers are", err)
	}
	names := make([]Name, 0, len(rows))
	for _, r := range rows {
		names = append(names, Name{Name: r.Name, KeyID: r.KeyID, AgreedAt: db.TimeOf(r.AgreedAt), AgreedBy: r.AgreedBy})
	}
	return names, nil
}
