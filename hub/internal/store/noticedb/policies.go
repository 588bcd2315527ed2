package noticedb

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type policyRow struct {
	ID        string `gorm:"primaryKey"`
	Title     string
	Rules     string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
	Doubtful  bool
}

// TableName pins the table.
func (policyRow) TableName() string { return "escalation_policies" }

type templateRow struct {
	Key       string `gorm:"primaryKey"`
	Text      string
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

// TableName pins the table.
func (templateRow) TableName() string { return "message_templates" }

// SavePolicy adds a policy or replaces it; it is not doubtful then. Errors: ErrNameTaken.
func (s *Rows) SavePolicy(ctx context.Context, p policy.Policy, now time.Time) error {
	rules, err := json.Marshal(p)
	if err != nil {
		return db.Failed("save the policy "+p.Title, err)
	}
	row := policyRow{ID: p.ID, Title: p.Title, Rules: string(rules), CreatedAt: db.Millis(now), UpdatedAt: db.Millis(now)}
	return db.Written("save the policy "+p.Title, s.db.Writing(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"title", "rules", "updated_at", "doubtful"}),
	}).Create(&row), "title", p.Title)
}

// Policies reads all, by title.
func (s *Rows) Policies(ctx context.Context) ([]policy.Policy, error) {
	var rows []policyRow
	if err := s.db.Reading(ctx).Order("title").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the policies", err)
	}
	list := make([]policy.Policy, 0, len(rows))
	for _, row := range rows {
		p, err := row.policy()
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// PoliciesChangedAt is when a policy was changed last; zero without one.
func (s *Rows) PoliciesChangedAt(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.db.Reading(ctx).Model(&policyRow{}).Select("COALESCE(MAX(updated_at), 0)").Scan(&at).Error
	return db.TimeOf(at), db.Failed("look for changed policies", err)
}

func (r policyRow) policy() (policy.Policy, error) {
	var p policy.Policy
	err := json.Unmarshal([]byte(r.Rules), &p)
	p.ID, p.Title, p.Doubtful = r.ID, r.Title, r.Doubtful
	return p, db.Failed("read the policy "+r.Title, err)
}

// Policy reads one. Errors: ErrNotFound.
func (s *Rows) Policy(ctx context.Context, id string) (policy.Policy, error) {
	var row policyRow
	if err := s.db.Reading(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return policy.Policy{}, db.Failed("read the policy "+id, err)
	}
	return row.policy()
}

// DeletePolicy removes one; what it has planned is still sent. Errors: ErrNotFound.
func (s *Rows) DeletePolicy(ctx context.Context, id string) error {
	return db.Changed("delete the policy "+id, s.db.Writing(ctx).Where("id = ?", id).Delete(&policyRow{}))
}

// MessageTemplates reads the texts that were edited, by event.language.part.
func (s *Rows) MessageTemplates(ctx context.Context) (map[string]string, error) {
	var rows []templateRow
	if err := s.db.Reading(ctx).Find(&rows).Error; err != nil {
		return nil, db.Failed("read the texts of messages", err)
	}
	texts := make(map[string]string, len(rows))
	for _, row := range rows {
		texts[row.Key] = row.Text
	}
	return texts, nil
}

// SaveMessageTemplate keeps an edited text; an empty one is as delivered again.
func (s *Rows) SaveMessageTemplate(ctx context.Context, key, text string, now time.Time) error {
	if text == "" {
		return db.Failed("drop the text "+key, s.db.Writing(ctx).Where("key = ?", key).Delete(&templateRow{}).Error)
	}
	return db.Failed("save the text "+key, s.db.Writing(ctx).Save(&templateRow{Key: key, Text: text, UpdatedAt: db.Millis(now)}).Error)
}
