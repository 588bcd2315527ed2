package servicedb

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type publishedRow struct {
	ServiceID   string `gorm:"primaryKey"`
	PublishedBy string
	PublishedAt int64
}

// TableName pins the table.
func (publishedRow) TableName() string { return "published_services" }

// Published is since when a service's access codes are public, and who published it.
type Published struct {
	By string
	At time.Time
}

// Publish makes the access codes of a service available to anyone with a login of their
// own there. One that is published already is not changed. Errors: ErrNotFound if there
// is no such service.
func (s *Rows) Publish(ctx context.Context, serviceID, by string, now time.Time) error {
	row := publishedRow{ServiceID: serviceID, PublishedBy: by, PublishedAt: db.Millis(now)}
	return db.Failed("publish the service "+serviceID, s.db.Writing(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error)
}

// Unpublish ends it. A service that is not published stays so.
func (s *Rows) Unpublish(ctx context.Context, serviceID string) error {
	return db.Failed("withdraw the service "+serviceID+" from the front page", s.db.Writing(ctx).Where("service_id = ?", serviceID).Delete(&publishedRow{}).Error)
}

// Published reads whether a service is published. Errors: ErrNotFound if it is not.
func (s *Rows) Published(ctx context.Context, serviceID string) (Published, error) {
	var row publishedRow
	err := s.db.Reading(ctx).Where("service_id = ?", serviceID).Take(&row).Error
	return Published{By: row.PublishedBy, At: db.TimeOf(row.PublishedAt)}, db.Failed("read whether the service "+serviceID+" is published", err)
}

// PublishedServices reads the services that are published, ordered by name.
func (s *Rows) PublishedServices(ctx context.Context) ([]service.Service, error) {
	return s.services(s.db.Reading(ctx).Where("id IN (SELECT service_id FROM published_services)"))
}

// AnyPublished reports whether a service is published.
func (s *Rows) AnyPublished(ctx context.Context) (bool, error) {
	var n int64
	err := s.db.Reading(ctx).Model(&publishedRow{}).Limit(1).Count(&n).Error
	return n > 0, db.Failed("look for published services", err)
}
