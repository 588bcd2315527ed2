package store

import (
	"context"

	"gorm.io/gorm/clause"
)

type settingRow struct {
	Key   string `gorm:"primaryKey"`
	Value string
}

// TableName pins the table.
func (settingRow) TableName() string { return "settings" }

// Setting reads a setting. Values are not sealed, so none is a secret. Errors:
// ErrNotFound.
func (s *Store) Setting(ctx context.Context, key string) (string, error) {
	var row settingRow
	err := s.reading(ctx).Where(&settingRow{Key: key}).Take(&row).Error
	return row.Value, failed("read the setting "+key, err)
}

// SetSetting writes a setting, over what there was.
func (s *Store) SetSetting(ctx context.Context, key, value string) error {
	return failed("write the setting "+key, s.writing(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "key"}}, DoUpdates: clause.AssignmentColumns([]string{"value"}),
	}).Create(&settingRow{Key: key, Value: value}).Error)
}

// TakeSetting removes a setting if it has the given value: exactly one of many
// takers succeeds. The hash of a one-time link is such a value. Errors:
// ErrNotFound.
func (s *Store) TakeSetting(ctx context.Context, key, value string) error {
	return changed("take the setting "+key, s.writing(ctx).Where(map[string]any{"key": key, "value": value}).Delete(&settingRow{}))
}
