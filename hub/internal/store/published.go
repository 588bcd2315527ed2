package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/service"
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
func (s *Store) Publish(ctx context.Context, serviceID, by string, now time.Time) error {
	row := publishedRow{ServiceID: serviceID, PublishedBy: by, PublishedAt: millis(now)}
	return failed("publish the service "+serviceID, s.writing(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error)
}

// Unpublish ends it. A service that is not published stays so.
func (s *Store) Unpublish(ctx context.Context, serviceID string) error {
	return failed("withdraw the service "+serviceID+" from the front page", s.writing(ctx).Where("service_id = ?", serviceID).Delete(&publishedRow{}).Error)
}

// Published reads whether a service is published. Errors: ErrNotFound if it is not.
func (s *Store) Published(ctx context.Context, serviceID string) (Published, error) {
	var row publishedRow
	err := s.reading(ctx).Where("service_id = ?", serviceID).Take(&row).Error
	return Published{By: row.PublishedBy, At: timeOf(row.PublishedAt)}, failed("read whether the service "+serviceID+" is published", err)
}

// PublishedServices reads the services that are published, ordered by name.
func (s *Store) PublishedServices(ctx context.Context) ([]service.Service, error) {
	return s.services(s.reading(ctx).Where("id IN (SELECT service_id FROM published_services)"))
}

// AnyPublished reports whether a service is published.
func (s *Store) AnyPublished(ctx context.Context) (bool, error) {
	var n int64
	err := s.reading(ctx).Model(&publishedRow{}).Limit(1).Count(&n).Error
	return n > 0, failed("look for published services", err)
}
