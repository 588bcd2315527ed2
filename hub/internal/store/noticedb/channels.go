package noticedb

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type channelRow struct {
	ID         string `gorm:"primaryKey"`
	Title      string
	Kind       string
	Settings   []byte
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	UpdatedAt  int64 `gorm:"autoUpdateTime:false"`
	DisabledAt int64
}

// TableName pins the table.
func (channelRow) TableName() string { return "channels" }

// Channel is a notification channel. It never prints its settings.
type Channel struct {
	ID, Title, Kind string
	// Settings hold credentials.
	Settings             map[string]string
	CreatedAt, UpdatedAt time.Time
	// DisabledAt is zero for one that is used.
	DisabledAt time.Time
}

// String keeps the settings out of %v.
func (c Channel) String() string { return "channel " + c.Title }

// GoString keeps the settings out of %#v.
func (c Channel) GoString() string { return c.String() }

// SaveChannel adds a channel or replaces it. Errors: ErrNameTaken.
func (s *Rows) SaveChannel(ctx context.Context, c Channel) error {
	row := channelRow{ID: c.ID, Title: c.Title, Kind: c.Kind, CreatedAt: db.Millis(c.CreatedAt), UpdatedAt: db.Millis(c.UpdatedAt), DisabledAt: db.Millis(c.DisabledAt)}
	var err error
	if row.Settings, err = s.db.SealJSON(c.Settings, "channels", c.ID, "settings"); err != nil {
		return db.Failed("seal the channel "+c.Title, err)
	}
	return db.Written("save the channel "+c.Title, s.db.Writing(ctx).Save(&row), "title", c.Title)
}

// DisableChannel disables a channel whose service has refused it, unless it was changed
// since it was read: the change may be the fix.
func (s *Rows) DisableChannel(ctx context.Context, was Channel, now time.Time) error {
	return db.Failed("disable the channel "+was.Title, s.db.Writing(ctx).Model(&channelRow{}).Where("id = ? AND updated_at = ?", was.ID, db.Millis(was.UpdatedAt)).
		Updates(map[string]any{"disabled_at": db.Millis(now), "updated_at": db.Later(now, db.Millis(was.UpdatedAt))}).Error)
}

// Channel reads one. Errors: ErrNotFound.
func (s *Rows) Channel(ctx context.Context, id string) (Channel, error) {
	var row channelRow
	if err := s.db.Reading(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return Channel{}, db.Failed("read the channel "+id, err)
	}
	return s.channelOf(row)
}

// Channels reads all, by title.
func (s *Rows) Channels(ctx context.Context) ([]Channel, error) {
	var rows []channelRow
	if err := s.db.Reading(ctx).Order("title").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the channels", err)
	}
	list := make([]Channel, 0, len(rows))
	for _, row := range rows {
		c, err := s.channelOf(row)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// DeleteChannel removes one. What is still to be sent by it fails, visibly. Errors:
// ErrNotFound.
func (s *Rows) DeleteChannel(ctx context.Context, id string) error {
	return db.Changed("delete the channel "+id, s.db.Writing(ctx).Where("id = ?", id).Delete(&channelRow{}))
}

func (s *Rows) channelOf(row channelRow) (Channel, error) {
	c := Channel{ID: row.ID, Title: row.Title, Kind: row.Kind, CreatedAt: db.TimeOf(row.CreatedAt), UpdatedAt: db.TimeOf(row.UpdatedAt), DisabledAt: db.TimeOf(row.DisabledAt)}
	return c, db.Failed("read the channel "+row.Title, s.db.OpenJSON(row.Settings, &c.Settings, "channels", row.ID, "settings"))
}
