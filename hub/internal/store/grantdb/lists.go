package grantdb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// Sort is the order of a list.
type Sort string

// The orders.
const (
	// SortName is by name.
	SortName Sort = ""
	// SortExpires puts what expires first to the beginning; without an expiry last.
	SortExpires Sort = "expires"
	// SortChanged puts what changed last to the beginning.
	SortChanged Sort = "changed"
)

// Sorts lists the orders.
var Sorts = []Sort{SortName, SortExpires, SortChanged}

// keys are the SQL that each order goes by, ascending; equal ones go by name.
var keys = map[Sort]string{
	SortExpires: "CASE WHEN expires_at = 0 THEN 9223372036854775807 ELSE expires_at END",
	SortChanged: "-updated_at",
}

// StatusSQL computes of a row what connection.StatusAt computes of a connection; a test
// compares the two. @now and @soon are milliseconds.
const StatusSQL = `CASE
	WHEN state = 'paused' THEN 'paused'
	WHEN state = 'revoked' THEN 'revoked'
	WHEN state IN ('pending', 'ended') THEN 'needs_authorization'
	WHEN renewable_until <= @now AND expires_at > 0 AND expires_at <= @now THEN 'needs_authorization'
	WHEN phase = 'suspect' THEN 'needs_authorization'
	WHEN phase = 'blocked' THEN 'needs_operator'
	WHEN phase = 'uncertain' THEN 'uncertain'
	WHEN phase = 'retrying' THEN 'retrying'
	WHEN renewable_until <= @now AND expires_at > 0 THEN 'expires'
	WHEN person_by > 0 AND person_by < @soon THEN 'expires'
	ELSE 'fresh' END`

// StatusArgs are the arguments of StatusSQL at a time.
func StatusArgs(now time.Time) map[string]any {
	return map[string]any{"now": db.Millis(now), "soon": db.Millis(now.Add(connection.Soon))}
}

// Page is a part of a list.
type Page struct {
	Connections []connection.Connection
	// Tags are those of each connection, by its id.
	Tags map[string][]string
	// More is set if there are others behind it; NextName and NextKey are then
	// Filter.AfterName and AfterKey of the next page.
	More     bool
	NextName string
	NextKey  string
}

// Connections reads those that the filter chooses, in its order.
func (s *Rows) Connections(ctx context.Context, f Filter) ([]connection.Connection, error) {
	page, err := s.ConnectionPage(ctx, f)
	return page.Connections, err
}

// ConnectionPage is Connections with tags and the way to the next page. It first
// finds the names, which an index has, and reads only these rows.
func (s *Rows) ConnectionPage(ctx context.Context, f Filter) (Page, error) {
	var names []found
	if err := s.names(ctx, f).Scan(&names).Error; err != nil {
		return Page{}, db.Failed("read the connections", err)
	}
	var page Page
	if page.More = f.Limit > 0 && len(names) > f.Limit; page.More {
		names = names[:f.Limit]
		page.NextName, page.NextKey = names[f.Limit-1].Name, names[f.Limit-1].text()
	}
	place := make(map[string]int, len(names))
	list := make([]string, len(names))
	for i, n := range names {
		place[n.Name], list[i] = i, n.Name
	}
	for part := range slices.Chunk(list, db.RowsAtOnce) {
		var rows []ConnectionRow
		if err := s.db.Reading(ctx).Where("name IN ?", part).Find(&rows).Error; err != nil {
			return page, db.Failed("read the connections", err)
		}
		page.Connections = append(page.Connections, s.ReadableOf(rows)...)
	}
	slices.SortFunc(page.Connections, func(a, b connection.Connection) int { return place[a.Name] - place[b.Name] })
	var err error
	page.Tags, err = s.tagsOf(ctx, page.Connections)
	return page, err
}

// found is a name of a page, and the key that its order goes by.
type found struct {
	Name string
	Key  int64
}

// text is the key in Page.NextKey; empty in the order by name.
func (n found) text() string {
	if n.Key == 0 {
		return ""
	}
	return strconv.FormatInt(n.Key, 10)
}

// names is the query of a page's names, and of one more.
func (s *Rows) names(ctx context.Context, f Filter) *gorm.DB {
	query := s.Chosen(ctx, f)
	if key, ordered := keys[f.Sort]; ordered {
		query = query.Select("name, " + key + " AS key").Order("key, name")
		if f.AfterName != "" {
			after, _ := strconv.ParseInt(f.AfterKey, 10, 64) // what is none begins with the first
			query = query.Where("("+key+" > ? OR "+key+" = ? AND name > ?)", after, after, f.AfterName)
		}
	} else {
		query = query.Select("name").Order("name")
		if f.AfterName != "" {
			query = query.Where("name > ?", f.AfterName)
		}
	}
	if f.Limit > 0 {
		query = query.Limit(f.Limit + 1)
	}
	return query
}

// Chosen is the query of what a filter chooses, without its order and page.
func (s *Rows) Chosen(ctx context.Context, f Filter) *gorm.DB {
	query := s.db.Reading(ctx).Model(&ConnectionRow{})
	if f.Trash {
		query = query.Where("state = ?", StateTrashed)
	} else {
		query = query.Where(Visible)
	}
	if f.IDs != nil {
		query = query.Where("id IN ?", f.IDs)
	}
	switch f.Granted {
	case "never":
		query = query.Where("state = ?", string(connection.StatePending))
	case "once":
		query = query.Where("state <> ?", string(connection.StatePending))
	}
	if f.Cause != "" {
		query = query.Where("failure_cause = ?", f.Cause)
	}
	if f.ServiceID != "" {
		query = query.Where("service_id = ?", f.ServiceID)
	}
	if f.Query != "" {
		query = query.Where("search_text LIKE ? ESCAPE '!'", "%"+likeEscape.Replace(connection.Folded(f.Query))+"%")
	}
	if f.Status != "" {
		args := StatusArgs(time.Now())
		args["status"] = string(f.Status)
		query = query.Where(StatusSQL+" = @status", args)
	}
	if f.Names != nil {
		query = query.Where("name IN ?", f.Names)
	}
	if d := f.Decided; d != nil {
		query = query.Where("id IN (SELECT connection_id FROM behind WHERE decision = ? AND decided_at = ?)", d.Decision, db.Millis(d.At))
	}
	if f.Tag != "" {
		query = query.Where("id IN (SELECT connection_id FROM connection_tags WHERE tag = ?)", f.Tag)
	}
	if f.KeyID != "" {
		query = query.Where(`(id IN (SELECT connection_id FROM api_key_connections WHERE api_key_id = ?) OR id IN (
			SELECT ct.connection_id FROM api_key_tags kt JOIN connection_tags ct ON ct.tag = kt.tag WHERE kt.api_key_id = ?))`, f.KeyID, f.KeyID)
	}
	return query
}

// IDs reads the ids that a filter chooses, at most limit, by name.
func (s *Rows) IDs(ctx context.Context, f Filter, limit int) ([]string, error) {
	var ids []string
	err := s.Chosen(ctx, f).Order("name").Limit(limit).Pluck("id", &ids).Error
	return ids, db.Failed("find the connections", err)
}

// CountByStatus counts the connections by their status at a time.
func (s *Rows) CountByStatus(ctx context.Context, now time.Time) (map[connection.Status]int, error) {
	var rows []struct {
		Status string
		Count  int
	}
	// The status is found for each kind of row once, where many share everything.
	err := s.db.Reading(ctx).Raw("SELECT status, COUNT(*) AS count FROM (SELECT "+StatusSQL+" AS status FROM connections WHERE "+Visible+") AS statuses GROUP BY status", StatusArgs(now)).
		Scan(&rows).Error
	if err != nil {
		return nil, db.Failed("count the connections", err)
	}
	counts := make(map[connection.Status]int, len(rows))
	for _, row := range rows {
		counts[connection.Status(row.Status)] = row.Count
	}
	return counts, nil
}

// CountByStatusOf counts those that a filter selects by their status at a time.
func (s *Rows) CountByStatusOf(ctx context.Context, f Filter, now time.Time) (map[connection.Status]int, error) {
	var rows []struct {
		Status string
		Count  int
	}
	err := s.Chosen(ctx, f).Select(StatusSQL+" AS status, COUNT(*) AS count", StatusArgs(now)).Group("status").Scan(&rows).Error
	counts := make(map[connection.Status]int, len(rows))
	for _, row := range rows {
		counts[connection.Status(row.Status)] = row.Count
	}
	return counts, db.Failed("count the connections", err)
}

// Upcoming reads the connections that the hub renews next, soonest first.
func (s *Rows) Upcoming(ctx context.Context, limit int) ([]connection.Connection, error) {
	var rows []ConnectionRow
	if err := s.db.Reading(ctx).Where("due_at > 0").Order("due_at").Limit(limit).Find(&rows).Error; err != nil {
		return nil, db.Failed("read what is due next", err)
	}
	return s.ConnectionsOf(rows)
}

// FillStatus writes the status columns of connections that were stored before these
// existed.
func (s *Rows) FillStatus(ctx context.Context) error {
	for {
		var rows []ConnectionRow
		if err := s.db.Reading(ctx).Where("renewable_until = -1").Order("id").Limit(db.RowsAtOnce).Find(&rows).Error; err != nil || len(rows) == 0 {
			return db.Failed("look for connections of an older version", err)
		}
		s.db.Log.Info("upgrading connections of an older version", "connections", len(rows))
		err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
			for i := range rows {
				columns := map[string]any{"renewable_until": 0, "phase": ""}
				if c, err := s.connectionOf(&rows[i]); err == nil { // one that cannot be read is shown as it is
					d := c.Derived()
					columns = map[string]any{"renewable_until": db.Millis(d.RenewableUntil), "phase": string(d.Phase), "person_by": db.Millis(d.PersonBy), "search_text": d.Search}
				}
				if err := tx.Model(&ConnectionRow{}).Where("id = ? AND renewable_until = -1", rows[i].ID).UpdateColumns(columns).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("bring connections of an older version up to date: %w", err)
		}
	}
}
