package noticedb

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Going is what an act concerns that takes connections away.
type Going struct {
	// Connections is how many they are, Names the first of them by name.
	Connections int
	Names       []string
	// Granting have a grant in force, and Rotating of them a refresh token that each
	// renewal replaces.
	Granting, Rotating int
	// Keys are the usable API keys that name one of them, Rules the escalation policies
	// that match one of them, and Channels those that notify of one.
	Keys, Rules, Channels int
}

// Going returns what an act on the connections that a filter selects would take away.
func (s *Rows) Going(ctx context.Context, f grantdb.Filter, names int, now time.Time) (Going, error) {
	var g Going
	var n int64
	if err := s.grants.Chosen(ctx, f).Count(&n).Error; err != nil {
		return g, db.Failed("count the connections", err)
	}
	g.Connections = int(n)
	if err := s.grants.Chosen(ctx, f).Order("name").Limit(names).Pluck(grantdb.WasNamed, &g.Names).Error; err != nil {
		return g, db.Failed("name the connections", err)
	}
	if err := s.countGranting(ctx, f, &g); err != nil {
		return g, err
	}
	return g, s.countHangers(ctx, f, &g, now)
}

// countGranting counts by policy: many connections share a few.
func (s *Rows) countGranting(ctx context.Context, f grantdb.Filter, g *Going) error {
	var policies []struct {
		Policy string
		Count  int
	}
	granting := "tokens IS NOT NULL AND state NOT IN ('pending', 'revoked')"
	if err := s.grants.Chosen(ctx, f).Select("policy, COUNT(*) AS count").Where(granting).Group("policy").Scan(&policies).Error; err != nil {
		return db.Failed("count the grants", err)
	}
	for _, p := range policies {
		var policy connection.Policy
		g.Granting += p.Count
		if err := json.Unmarshal([]byte(p.Policy), &policy); err == nil && policy.Rotates() {
			g.Rotating += p.Count
		}
	}
	return nil
}

// countHangers counts keys, rules and channels that the connections hang on.
func (s *Rows) countHangers(ctx context.Context, f grantdb.Filter, g *Going, now time.Time) error {
	ids := func() *gorm.DB { return s.grants.Chosen(ctx, f).Select("id") }
	var keys int64
	err := s.db.Reading(ctx).Model(&peopledb.APIKeyConnectionRow{}).Distinct("api_key_id").Where("connection_id IN (?)", ids()).
		Where("api_key_id IN (SELECT id FROM api_keys WHERE revoked_at = 0 AND (expires_at = 0 OR expires_at > ?))", db.Millis(now)).Count(&keys).Error
	var at policy.Situation
	if err == nil {
		err = s.grants.Chosen(ctx, f).Distinct().Pluck("service_id", &at.Services).Error
	}
	if err == nil {
		err = s.db.Reading(ctx).Model(&grantdb.TagRow{}).Where("connection_id IN (?)", ids()).Distinct().Pluck("tag", &at.Tags).Error
	}
	if err == nil {
		err = s.db.Reading(ctx).Model(&peopledb.ConnectionOwnerRow{}).Where("connection_id IN (?)", ids()).Distinct().Pluck("contact_id", &at.Owners).Error
	}
	if err != nil {
		return db.Failed("count what hangs on the connections", err)
	}
	g.Keys = int(keys)
	return s.countRules(ctx, at, g)
}

// countRules counts the escalation policies that match a situation, and the channels that
// they and the owners use.
func (s *Rows) countRules(ctx context.Context, at policy.Situation, g *Going) error {
	rules, err := s.Policies(ctx)
	if err != nil {
		return err
	}
	contacts, err := s.people.Contacts(ctx)
	if err != nil {
		return err
	}
	told, channels := slices.Clone(at.Owners), map[string]bool{}
	for _, rule := range rules {
		if !rule.Enabled || !rule.Concerns(at) {
			continue
		}
		g.Rules++
		for _, step := range rule.Steps {
			told = append(told, step.To)
			if step.Channel != "" {
				channels[step.Channel] = true
			}
		}
	}
	for _, c := range contacts {
		if slices.Contains(told, c.ID) && len(c.Addresses) > 0 {
			channels[c.Addresses[0].Channel] = true
		}
	}
	g.Channels = len(channels)
	return nil
}
