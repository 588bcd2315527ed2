package noticedb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

type personToldRow struct {
	ConnectionID string `gorm:"primaryKey"`
	Days         int64  `gorm:"primaryKey;autoIncrement:false"`
	PersonBy     int64
	EscalationID string
}

// TableName pins the table.
func (personToldRow) TableName() string { return "person_told" }

// moved is how far the expiry of a grant may move and still count as the notified one.
const moved = 36 * time.Hour

// runOut is for how long a grant that has run out is news.
const runOut = 7 * 24 * time.Hour

// endingGrant is a grant that ends within some of policy.Days; 0 is one that has.
type endingGrant struct {
	ID, ServiceID string
	PersonBy      int64
	Days          int
}

// untoldEnds selects the grants that expire soon and were not notified. Once all are
// notified it selects nothing, so that nothing is written.
var untoldEnds = `SELECT id, service_id, person_by, days FROM (
		SELECT id, service_id, person_by, authorized_at, ` + daysSQL() + ` AS days FROM connections
		WHERE state = 'active' AND failure_cause = '' AND person_by > @oldest AND person_by <= @longest
			AND (person_by > @now OR (renewable_until <= @now AND expires_at > 0 AND expires_at <= @now))
	) AS ending
	WHERE (authorized_at = 0 OR person_by - authorized_at > days * CAST(@day AS BIGINT))
		AND NOT EXISTS (SELECT 1 FROM person_told t WHERE t.connection_id = ending.id AND t.days = ending.days AND t.person_by >= ending.person_by - @moved)
	ORDER BY person_by, id`

// daysSQL is the smallest of policy.Days within which a grant ends; 0 if it has.
func daysSQL() string {
	var sql strings.Builder
	sql.WriteString("CASE WHEN person_by <= @now THEN 0")
	for _, days := range slices.Backward(policy.Days) {
		fmt.Fprintf(&sql, " WHEN person_by - @now <= %d * CAST(@day AS BIGINT) THEN %d", days, days)
	}
	return sql.String() + " END"
}

func endArgs(now time.Time) map[string]any {
	return map[string]any{
		"now": db.Millis(now), "oldest": db.Millis(now.Add(-runOut)), "longest": db.Millis(now.Add(time.Duration(slices.Max(policy.Days)) * db.Day)),
		"day": db.Day.Milliseconds(), "moved": moved.Milliseconds(),
	}
}

// TellOfEnds opens an escalation for the grants that expire within 14, 3 and 1 days, or
// have expired without any renewal that could have failed, and whose expiry was not
// notified yet: one for each service and number of days, however many connections there
// are. A grant with a shorter lifetime from the start is not notified so many days
// before. It closes those whose connections were all authorized again. Any number of
// replicas may call it. It returns how many it opened and closed.
func (s *Rows) TellOfEnds(ctx context.Context, now time.Time) (begun, ended int, err error) {
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		begun, ended = 0, 0
		var contacts int64
		if err := tx.Model(&peopledb.ContactRow{}).Count(&contacts).Error; err != nil || contacts == 0 {
			return err // what cannot be notified now is notified later
		}
		var ending []endingGrant
		if err := tx.Raw(untoldEnds, endArgs(now)).Scan(&ending).Error; err != nil {
			return err
		}
		groups, err := s.untold(tx, ending, now)
		if err != nil {
			return err
		}
		for _, e := range groups {
			if err := s.openEscalation(tx, e); err != nil {
				return err
			}
			begun++
		}
		ended, err = s.endOver(tx, now)
		return err
	})
	return begun, ended, db.Failed("tell of grants that end", err)
}

// untold groups the connections whose expiry was not notified yet, and marks them as
// notified.
func (s *Rows) untold(tx *gorm.DB, ending []endingGrant, now time.Time) ([]Escalation, error) {
	type group struct {
		service string
		days    int
	}
	groups := map[group]*Escalation{}
	for _, row := range ending {
		key := group{row.ServiceID, row.Days}
		e := groups[key]
		if e == nil {
			e = &Escalation{ID: db.NewID(), Event: eventIn(row.Days), ServiceID: row.ServiceID, OpenedAt: now, PersonBy: db.TimeOf(row.PersonBy)}
		}
		told := personToldRow{ConnectionID: row.ID, Days: int64(row.Days), PersonBy: row.PersonBy, EscalationID: e.ID}
		result := tx.Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "connection_id"}, {Name: "days"}}, DoUpdates: clause.AssignmentColumns([]string{"person_by", "escalation_id"}),
			Where: clause.Where{Exprs: []clause.Expression{gorm.Expr("person_told.person_by < ?", row.PersonBy-moved.Milliseconds())}},
		}).Create(&told)
		if result.Error != nil {
			return nil, result.Error
		}
		if result.RowsAffected == 0 {
			continue
		}
		groups[key] = e
		e.Affected++
		e.Connections = append(e.Connections, row.ID)
	}
	list := make([]Escalation, 0, len(groups))
	for _, e := range groups {
		list = append(list, *e)
	}
	slices.SortFunc(list, func(a, b Escalation) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

func eventIn(days int) policy.Event {
	if days == 0 {
		return policy.GrantEnded
	}
	return policy.PersonIn(days)
}

// stillEnds selects an escalation's connections whose expiry is the notified one.
const stillEnds = `EXISTS (SELECT 1 FROM connections c WHERE c.id = person_told.connection_id AND c.state = 'active'
	AND c.person_by > 0 AND c.person_by <= person_told.person_by + @moved)`

// toldSince selects those that were notified again, with fewer days left.
const toldSince = `EXISTS (SELECT 1 FROM person_told later WHERE later.connection_id = person_told.connection_id
	AND later.days < person_told.days AND later.person_by >= person_told.person_by - @moved)`

// endOver closes the escalations none of whose connections expires soon any more, and
// without a message those that a later one has superseded.
func (s *Rows) endOver(tx *gorm.DB, now time.Time) (n int, err error) {
	var open []escalationRow
	err = tx.Where("closed_at = 0 AND incident_id = '' AND drill = 0 AND event NOT IN ?", []string{string(policy.ServiceRequested), string(policy.HostsChanged)}).Find(&open).Error
	if err != nil {
		return 0, err
	}
	for _, row := range open {
		args := map[string]any{"moved": moved.Milliseconds()}
		var still, here int64
		mine := func() *gorm.DB {
			return tx.Model(&personToldRow{}).Where("escalation_id = ?", row.ID).Where(stillEnds, args)
		}
		if err := mine().Count(&still).Error; err != nil {
			return n, err
		}
		if err := mine().Where("NOT "+toldSince, args).Count(&here).Error; err != nil {
			return n, err
		}
		switch {
		case here > 0:
			continue
		case still > 0:
			err = supersede(tx, row.ID, now)
		default:
			err = s.closeEscalation(tx, row, now)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// supersede closes an escalation that another one continues, without a message.
func supersede(tx *gorm.DB, id string, now time.Time) error {
	if err := tx.Model(&escalationRow{}).Where("id = ?", id).Update("closed_at", db.Millis(now)).Error; err != nil {
		return err
	}
	return dropWaiting(tx, id)
}
