package web

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

func rowsOf(connections []connection.Connection, refs map[string]view.ServiceRef, tags map[string][]string) []view.ConnectionRow {
	now := time.Now()
	rows := make([]view.ConnectionRow, 0, len(connections))
	for _, conn := range connections {
		row := view.ConnectionRowOf(conn, refs[conn.ServiceID], now)
		row.Tags = tags[conn.ID]
		rows = append(rows, row)
	}
	return rows
}

// pageSize is how many connections a page of the list shows.
const pageSize = 100

// listFilter reads the filter of a list from a query.
func listFilter(values url.Values, refs map[string]view.ServiceRef) (grantdb.Filter, view.Connections) {
	v := view.Connections{
		Query: strings.TrimSpace(values.Get("q")), Status: connection.Status(values.Get("status")), Services: len(refs), Tag: values.Get("tag"), Sort: values.Get("sort"),
		Cause: values.Get("cause"), Granted: values.Get("granted"),
	}
	f := grantdb.Filter{Query: v.Query, Tag: v.Tag, Cause: v.Cause, Granted: v.Granted, AfterName: values.Get("after"), Limit: pageSize}
	if slices.Contains(connection.Statuses, v.Status) {
		f.Status = v.Status
	}
	if order := grantdb.Sort(v.Sort); slices.Contains(grantdb.Sorts, order) {
		f.Sort = order
	}
	f.AfterKey = values.Get("key")
	for id, ref := range refs {
		if ref.Name == values.Get("service") {
			v.Service, f.ServiceID = ref, id
		}
	}
	return f, v
}

func (p *connectionPages) list(c *gin.Context) {
	ctx := c.Request.Context()
	refs, err := p.serviceRefs(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	f, v := listFilter(c.Request.URL.Query(), refs)
	v.CauseText = p.causeText(ctx, v.Cause)
	found, err := p.connections.Page(ctx, f)
	if err != nil {
		p.fail(c, err)
		return
	}
	if err := p.countList(ctx, f, &v); err != nil {
		p.fail(c, err)
		return
	}
	tags, err := p.connections.AllTags(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, tag := range tags {
		v.Tags = append(v.Tags, tag.Tag)
	}
	v.Rows = rowsOf(found.Connections, refs, found.Tags)
	query := c.Request.URL.Query()
	for _, name := range []string{"after", "key"} {
		query.Del(name)
	}
	v.Address = query.Encode()
	if found.More {
		query.Set("after", found.NextName)
		if found.NextKey != "" {
			query.Set("key", found.NextKey)
		}
		v.Next = "/connections?" + query.Encode()
	}
	p.render(c, http.StatusOK, page.Connections(p.shell(c, view.SectionConnections), v))
}

// causeText describes the cause that a list is filtered by.
func (p *connectionPages) causeText(ctx context.Context, text string) string {
	cause := connection.ParseCause(text)
	of := cause.Of
	if title := p.services.Title(ctx, cause.Of); title != "" {
		of = title
	}
	key := "incident." + string(cause.Kind) + ".title"
	if said := i18n.T(ctx, key, "Of", of); said != key {
		return said
	}
	return text
}

// countList counts the connections that a filter finds, by status as well, and those in all and
// in the trash.
func (p *connectionPages) countList(ctx context.Context, f grantdb.Filter, v *view.Connections) error {
	all, err := p.counts(ctx)
	if err != nil {
		return err
	}
	v.All, v.StatusCounts, v.Counts = all.Total, all, all
	if v.Searched() {
		f.Status = ""
		byStatus, err := p.connections.CountByStatus(ctx, f)
		if err != nil {
			return err
		}
		v.Counts = view.CountsByStatus(byStatus)
	}
	v.Found = v.Counts.Total
	if v.Status != "" {
		v.Found = v.Counts.Status[v.Status]
	}
	if v.Found > v.All { // what there is was counted a moment ago
		p.counted.forget()
		if all, err = p.counts(ctx); err != nil {
			return err
		}
		v.All, v.StatusCounts = all.Total, all
	}
	v.Trashed, err = p.connections.CountTrash(ctx, "")
	return err
}

// connectionsCSV exports all connections that the filter finds, without tokens.
func (p *connectionPages) connectionsCSV(c *gin.Context) {
	refs, err := p.serviceRefs(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	f, _ := listFilter(c.Request.URL.Query(), refs)
	f.AfterName, f.AfterKey, f.Limit = "", "", 500
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="connections.csv"`)
	w := csv.NewWriter(c.Writer)
	_ = w.Write([]string{"name", "title", "service", "status", "account", "expires_at", "person_by", "last_pulled_at", "tags", "trouble"}) // errors show at Flush
	for {
		found, err := p.connections.Page(c.Request.Context(), f)
		if err != nil {
			p.logger.Error("export connections failed", "error", err)
			return
		}
		for _, r := range rowsOf(found.Connections, refs, found.Tags) {
			trouble := ""
			if r.Trouble != nil {
				trouble = r.Trouble.Code + " " + r.Trouble.Message
			}
			_ = w.Write(harmless(r.Name, r.Title, r.Service.Name, string(r.Status), r.Account, csvTime(r.ValidUntil), csvTime(r.PersonBy), csvTime(r.LastPulled), strings.Join(r.Tags, " "), strings.TrimSpace(trouble)))
		}
		w.Flush()
		if !found.More || w.Error() != nil {
			return
		}
		f.AfterName, f.AfterKey = found.NextName, found.NextKey
	}
}

func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
