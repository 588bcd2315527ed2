package grantdb

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// TagRow is a row of connection_tags.
type TagRow struct {
	ConnectionID string `gorm:"primaryKey"`
	Tag          string `gorm:"primaryKey"`
}

// TableName pins the table.
func (TagRow) TableName() string { return "connection_tags" }

// SetTags replaces a connection's tags. Errors: ErrNotFound.
func (s *Rows) SetTags(ctx context.Context, connectionID string, tags []string) error {
	return db.Failed("tag a connection", s.db.Transaction(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("connection_id = ?", connectionID).Delete(&TagRow{}).Error; err != nil || len(tags) == 0 {
			return err
		}
		rows := make([]TagRow, 0, len(tags))
		for _, tag := range slices.Compact(slices.Sorted(slices.Values(tags))) {
			rows = append(rows, TagRow{ConnectionID: connectionID, Tag: tag})
		}
		return tx.Create(&rows).Error
	}))
}

// AddTag gives a connection a tag, if it does not have it. Errors: ErrNotFound.
func (s *Rows) AddTag(ctx context.Context, connectionID, tag string) error {
	return db.Failed("tag a connection", s.db.Writing(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&TagRow{ConnectionID: connectionID, Tag: tag}).Error)
}

// RemoveTag takes a tag from a connection.
func (s *Rows) RemoveTag(ctx context.Context, connectionID, tag string) error {
	return db.Failed("take a tag away", s.db.Writing(ctx).Where("connection_id = ? AND tag = ?", connectionID, tag).Delete(&TagRow{}).Error)
}

// Tags reads all tags that are in use, by name, with how many connections have each.
// The trash does not count.
func (s *Rows) Tags(ctx context.Context) ([]TagCount, error) {
	var counts []TagCount
	err := s.db.Reading(ctx).Model(&TagRow{}).Select("tag, COUNT(*) AS count").
		Where("connection_id NOT IN (SELECT id FROM connections WHERE state = ?)", StateTrashed).Group("tag").Order("tag").Scan(&counts).Error
	return counts, db.Failed("read the tags", err)
}

// TagCount is a tag and how many connections have it.
type TagCount struct {
	Tag   string
	Count int
}

// tagsOf reads the tags of some connections, by id.
func (s *Rows) tagsOf(ctx context.Context, connections []connection.Connection) (map[string][]string, error) {
	tags := map[string][]string{}
	ids := make([]string, 0, len(connections))
	for _, c := range connections {
		ids = append(ids, c.ID)
	}
	for part := range slices.Chunk(ids, db.RowsAtOnce) {
		var rows []TagRow
		if err := s.db.Reading(ctx).Where("connection_id IN ?", part).Order("connection_id, tag").Find(&rows).Error; err != nil {
			return nil, db.Failed("read the tags", err)
		}
		for _, row := range rows {
			tags[row.ConnectionID] = append(tags[row.ConnectionID], row.Tag)
		}
	}
	return tags, nil
}

// TagsOf reads a connection's tags, by name.
func (s *Rows) TagsOf(ctx context.Context, connectionID string) ([]string, error) {
	tags, err := s.tagsOf(ctx, []connection.Connection{{ID: connectionID}})
	return tags[connectionID], err
}
