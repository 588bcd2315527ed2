package plugindb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

type pluginRow struct {
	Sum          string `gorm:"primaryKey"`
	Name         string
	Version      string
	Descriptions string
	SeenAt       int64
	Uses         string
}

// TableName pins the table.
func (pluginRow) TableName() string { return "plugins" }

// PluginRecord is a plugin's description, so that its providers are known before it is
// started again.
type PluginRecord struct {
	// Sum is the SHA-256 of the plugin's file.
	Sum          string
	Name         string
	Version      string
	Descriptions []provider.Description
	// Uses are what it uses of the contract that is deprecated or may become so, by name.
	Uses   []string
	SeenAt time.Time
}

// SavePlugin writes a record, over what there was under its sum.
func (s *Rows) SavePlugin(ctx context.Context, p PluginRecord) error {
	tried := "save the plugin " + p.Name
	descriptions, err := db.JSONText(p.Descriptions)
	if err != nil {
		return db.Failed(tried, err)
	}
	uses, err := db.JSONText(p.Uses)
	if err != nil {
		return db.Failed(tried, err)
	}
	row := pluginRow{Sum: p.Sum, Name: p.Name, Version: p.Version, Descriptions: descriptions, SeenAt: db.Millis(p.SeenAt), Uses: uses}
	return db.Failed(tried, s.db.Writing(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "sum"}},
		DoUpdates: clause.AssignmentColumns([]string{"name", "version", "descriptions", "seen_at", "uses"}),
	}).Create(&row).Error)
}

// PluginBySum reads a record. Errors: ErrNotFound.
func (s *Rows) PluginBySum(ctx context.Context, sum string) (PluginRecord, error) {
	var row pluginRow
	if err := s.db.Reading(ctx).Where("sum = ?", sum).Take(&row).Error; err != nil {
		return PluginRecord{}, db.Failed("read the plugin "+sum, err)
	}
	p := PluginRecord{Sum: row.Sum, Name: row.Name, Version: row.Version, SeenAt: db.TimeOf(row.SeenAt)}
	if err := json.Unmarshal([]byte(row.Descriptions), &p.Descriptions); err != nil {
		return p, fmt.Errorf("read the descriptions of the plugin %s: %w", row.Name, err)
	}
	if row.Uses != "" {
		if err := json.Unmarshal([]byte(row.Uses), &p.Uses); err != nil {
			return p, fmt.Errorf("read what the plugin %s uses: %w", row.Name, err)
		}
	}
	return p, nil
}
