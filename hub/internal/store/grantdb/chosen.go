package grantdb

import (
	"context"
	"encoding/json"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// PolicyCount is how many connections with a grant in force have a policy of renewal.
type PolicyCount struct {
	// Policy is the zero one if it cannot be read.
	Policy connection.Policy
	Count  int
}

// CountChosen counts what a filter selects.
func (s *Rows) CountChosen(ctx context.Context, f Filter) (int, error) {
	var n int64
	err := s.Chosen(ctx, f).Count(&n).Error
	return int(n), db.Failed("count the connections", err)
}

// ChosenNames reads the names of what a filter selects, the first of them by name; those of
// the trash as they were before.
func (s *Rows) ChosenNames(ctx context.Context, f Filter, limit int) (names []string, err error) {
	err = s.Chosen(ctx, f).Order("name").Limit(limit).Pluck(WasNamed, &names).Error
	return names, db.Failed("name the connections", err)
}

// ChosenGrants counts the grants in force of what a filter selects, by their policy: many
// connections share a few.
func (s *Rows) ChosenGrants(ctx context.Context, f Filter) ([]PolicyCount, error) {
	var rows []struct {
		Policy string
		Count  int
	}
	granting := "tokens IS NOT NULL AND state NOT IN ('pending', 'revoked')"
	if err := s.Chosen(ctx, f).Select("policy, COUNT(*) AS count").Where(granting).Group("policy").Scan(&rows).Error; err != nil {
		return nil, db.Failed("count the grants", err)
	}
	counts := make([]PolicyCount, len(rows))
	for i, r := range rows {
		counts[i].Count = r.Count
		var p connection.Policy
		if json.Unmarshal([]byte(r.Policy), &p) == nil {
			counts[i].Policy = p
		}
	}
	return counts, nil
}

// ChosenServices reads the services of what a filter selects, each once.
func (s *Rows) ChosenServices(ctx context.Context, f Filter) (ids []string, err error) {
	err = s.Chosen(ctx, f).Distinct().Pluck("service_id", &ids).Error
	return ids, db.Failed("read the services of connections", err)
}

// ChosenTags reads the tags of what a filter selects, each once.
func (s *Rows) ChosenTags(ctx context.Context, f Filter) (tags []string, err error) {
	err = s.db.Reading(ctx).Model(&TagRow{}).Where("connection_id IN (?)", s.Chosen(ctx, f).Select("id")).Distinct().Pluck("tag", &tags).Error
	return tags, db.Failed("read the tags of connections", err)
}
