package store

import (
	"context"
	"time"
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
func (s *Store) SaveChannel(ctx context.Context, c Channel) error {
	row := channelRow{ID: c.ID, Title: c.Title, Kind: c.Kind, CreatedAt: millis(c.CreatedAt), UpdatedAt: millis(c.UpdatedAt), DisabledAt: millis(c.DisabledAt)}
	var err error
	if row.Settings, err = s.sealJSON(c.Settings, "channels", c.ID, "settings"); err != nil {
		return failed("seal the channel "+c.Title, err)
	}
	return written("save the channel "+c.Title, s.writing(ctx).Save(&row), "title", c.Title)
}

// DisableChannel disables a channel whose service has refused it, unless it was changed
// since it was read: the change may be the fix.
func (s *Store) DisableChannel(ctx context.Context, was Channel, now time.Time) error {
	return failed("disable the channel "+was.Title, s.writing(ctx).Model(&channelRow{}).Where("id = ? AND updated_at = ?", was.ID, millis(was.UpdatedAt)).
		Updates(map[string]any{"disabled_at": millis(now), "updated_at": later(now, millis(was.UpdatedAt))}).Error)
}

// Channel reads one. Errors: ErrNotFound.
func (s *Store) Channel(ctx context.Context, id string) (Channel, error) {
	var row channelRow
	if err := s.reading(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return Channel{}, failed("read the channel "+id, err)
	}
	return s.channelOf(row)
}

// Channels reads all, by title.
func (s *Store) Channels(ctx context.Context) ([]Channel, error) {
	var rows []channelRow
	if err := s.reading(ctx).Order("title").Find(&rows).Error; err != nil {
		return nil, failed("read the channels", err)
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
func (s *Store) DeleteChannel(ctx context.Context, id string) error {
	return changed("delete the channel "+id, s.writing(ctx).Where("id = ?", id).Delete(&channelRow{}))
}

func (s *Store) channelOf(row channelRow) (Channel, error) {
	c := Channel{ID: row.ID, Title: row.Title, Kind: row.Kind, CreatedAt: timeOf(row.CreatedAt), UpdatedAt: timeOf(row.UpdatedAt), DisabledAt: timeOf(row.DisabledAt)}
	return c, failed("read the channel "+row.Title, s.openJSON(row.Settings, &c.Settings, "channels", row.ID, "settings"))
}
