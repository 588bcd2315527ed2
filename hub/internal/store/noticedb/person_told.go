package noticedb

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

type personToldRow struct {
	ConnectionID string `gorm:"primaryKey"`
	Days         int64  `gorm:"primaryKey;autoIncrement:false"`
	PersonBy     int64
	EscalationID string
}

// TableName pins the table.
func (personToldRow) TableName() string { return "person_told" }

// Ending is a grant that ends at a time unless a person authorizes it again.
type Ending struct {
	ConnectionID, ServiceID string
	// PersonBy is that time.
	PersonBy time.Time
}

// EndingFilter chooses grants by when they end.
type EndingFilter struct {
	// After and Until bound the end: later than After, not later than Until.
	After, Until time.Time
	// LongerThan keeps grants whose whole life is longer; and those of an unknown begin.
	LongerThan time.Duration
	// UselessAt keeps those that at this time can neither be used nor renewed; zero keeps
	// all.
	UselessAt time.Time
	// Days and Moved leave out the grants that MarkEnding has noted for so many days, for
	// an end that is at most Moved earlier.
	Days  int
	Moved time.Duration
	// Grant keeps the connections that got their tokens so; "" keeps all.
	Grant provider.Grant
}

// Endings reads active grants without a failure, by their ends.
func (s *Rows) Endings(ctx context.Context, f EndingFilter) ([]Ending, error) {
	args := map[string]any{
		"after": db.Millis(f.After), "until": db.Millis(f.Until), "life": f.LongerThan.Milliseconds(), "days": f.Days, "moved": f.Moved.Milliseconds(), "now": db.Millis(f.UselessAt),
	}
	sql := `SELECT id, service_id, person_by FROM connections
		WHERE state = 'active' AND failure_cause = '' AND person_by > @after AND person_by <= @until
			AND (authorized_at = 0 OR person_by - authorized_at > @life)
			AND NOT EXISTS (SELECT 1 FROM person_told t WHERE t.connection_id = connections.id AND t.days = @days AND t.person_by >= connections.person_by - @moved)`
	if !f.UselessAt.IsZero() {
		sql += " AND renewable_until <= @now AND expires_at > 0 AND expires_at <= @now"
	}
	if f.Grant != "" {
		sql += " AND grant_type = @grant"
		args["grant"] = string(f.Grant)
	}
	var rows []struct {
		ID, ServiceID string
		PersonBy      int64
	}
	err := s.db.Reading(ctx).Raw(sql+" ORDER BY person_by, id", args).Scan(&rows).Error
	list := make([]Ending, 0, len(rows))
	for _, r := range rows {
		list = append(list, Ending{ConnectionID: r.ID, ServiceID: r.ServiceID, PersonBy: db.TimeOf(r.PersonBy)})
	}
	return list, db.Failed("read the grants that end", err)
}

// MarkEnding notes that an escalation is about the end of a grant, so many days before it.
// It reports false, and changes nothing, if that was noted before, for an end at most moved
// earlier: so of several replicas one notes it.
func (s *Rows) MarkEnding(ctx context.Context, e Ending, days int, escalationID string, moved time.Duration) (bool, error) {
	row := personToldRow{ConnectionID: e.ConnectionID, Days: int64(days), PersonBy: db.Millis(e.PersonBy), EscalationID: escalationID}
	result := s.db.Writing(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "connection_id"}, {Name: "days"}}, DoUpdates: clause.AssignmentColumns([]string{"person_by", "escalation_id"}),
		Where: clause.Where{Exprs: []clause.Expression{gorm.Expr("person_told.person_by < ?", row.PersonBy-moved.Milliseconds())}},
	}).Create(&row)
	return result.RowsAffected > 0, db.Failed("note the end of a grant", result.Error)
}

// stillEnds selects an escalation's connections whose expiry is the notified one.
const stillEnds = `EXISTS (SELECT 1 FROM connections c WHERE c.id = person_told.connection_id AND c.state = 'active'
	AND c.person_by > 0 AND c.person_by <= person_told.person_by + @moved)`

// notedSince selects those that were noted again, with fewer days left.
const notedSince = `EXISTS (SELECT 1 FROM person_told later WHERE later.connection_id = person_told.connection_id
	AND later.days < person_told.days AND later.person_by >= person_told.person_by - @moved)`

// MarkedEndings counts the grants that were noted for an escalation and still end when they
// were said to, or at most moved later; and how many of these no later escalation is about.
func (s *Rows) MarkedEndings(ctx context.Context, escalationID string, moved time.Duration) (still, latest int, err error) {
	var row struct{ Still, Latest int }
	err = s.db.Reading(ctx).Raw(`SELECT COUNT(*) AS still, COALESCE(SUM(CASE WHEN `+notedSince+` THEN 0 ELSE 1 END), 0) AS latest
		FROM person_told WHERE escalation_id = @escalation AND `+stillEnds,
		map[string]any{"escalation": escalationID, "moved": moved.Milliseconds()}).Scan(&row).Error
	return row.Still, row.Latest, db.Failed("count the grants that still end", err)
}
