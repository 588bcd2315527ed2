package db

import (
	"context"

	"gorm.io/gorm/clause"
)

// SettingRow is a row of settings.
type SettingRow struct {
	Key   string `gorm:"primaryKey"`
	Value string
}

// TableName pins the table.
func (SettingRow) TableName() string { return "settings" }

// Setting reads a setting. Values are not sealed, so none is a secret. Errors:
// ErrNotFound.
func (s *DB) Setting(ctx context.Context, key string) (string, error) {
	var row SettingRow
	err := s.Reading(ctx).Where(&SettingRow{Key: key}).Take(&row).Error
	return row.Value, Failed("read the setting "+key, err)
}

// SetSetting writes a setting, over what there was.
func (s *DB) SetSetting(ctx context.Context, key, value string) error {
	return Failed("write the setting "+key, s.Writing(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "key"}}, DoUpdates: clause.AssignmentColumns([]string{"value"}),
	}).Create(&SettingRow{Key: key, Value: value}).Error)
}

// TakeSetting removes a setting if it has the given value: exactly one of many
// takers succeeds. The hash of a one-time link is such a value. Errors:
// ErrNotFound.
func (s *DB) TakeSetting(ctx context.Context, key, value string) error {
	return Changed("take the setting "+key, s.Writing(ctx).Where(map[string]any{"key": key, "value": value}).Delete(&SettingRow{}))
}
