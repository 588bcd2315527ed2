package grantdb

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// Suffering is how many connections share a cause of failure.
type Suffering struct {
	// Cause is as connection.Cause writes it.
	Cause    string
	Affected int
	// Sample is the id of one of them.
	Sample string
}

// Suffering counts the connections of each cause. It reads those that fail, not all.
func (s *Rows) Suffering(ctx context.Context) (causes []Suffering, err error) {
	err = s.db.Reading(ctx).Raw(`SELECT failure_cause AS cause, COUNT(*) AS affected, MIN(id) AS sample FROM connections
		WHERE failure_cause <> '' GROUP BY failure_cause`).Scan(&causes).Error
	return causes, db.Failed("count the connections that fail", err)
}

// SufferingFrom reads the ids of connections that share a cause, at most limit.
func (s *Rows) SufferingFrom(ctx context.Context, cause string, limit int) (ids []string, err error) {
	err = s.db.Reading(ctx).Model(&ConnectionRow{}).Where("failure_cause = ?", cause).Order("id").Limit(limit).Pluck("id", &ids).Error
	return ids, db.Failed("read the connections of a cause", err)
}

// Failure reads the failure of a connection; nil is none. Errors: ErrNotFound.
func (s *Rows) Failure(ctx context.Context, id string) (*connection.Failure, error) {
	var row ConnectionRow
	if err := s.db.Reading(ctx).Select("failure").Where("id = ?", id).Take(&row).Error; err != nil {
		return nil, db.Failed("read the failure of "+id, err)
	}
	f, err := failureOf(row.Failure)
	return f, db.Failed("read the failure of "+id, err)
}

// ServicesOf reads the services of some connections, each once, by id.
func (s *Rows) ServicesOf(ctx context.Context, connectionIDs []string) (ids []string, err error) {
	err = s.db.Reading(ctx).Model(&ConnectionRow{}).Where("id IN ?", connectionIDs).Distinct().Order("service_id").Pluck("service_id", &ids).Error
	return ids, db.Failed("read the services of connections", err)
}

// TagsAmong reads the tags of some connections, each once, by name.
func (s *Rows) TagsAmong(ctx context.Context, connectionIDs []string) (tags []string, err error) {
	err = s.db.Reading(ctx).Model(&TagRow{}).Where("connection_id IN ?", connectionIDs).Distinct().Order("tag").Pluck("tag", &tags).Error
	return tags, db.Failed("read the tags of connections", err)
}
