package web

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// auditPage is how many records a page shows.
const auditPage = 100

func auditFilter(c *gin.Context) (store.AuditFilter, view.AuditForm) {
	form := view.AuditForm{Actor: strings.TrimSpace(c.Query("actor")), Act: c.Query("act"), Object: strings.TrimSpace(c.Query("object"))}
	f := store.AuditFilter{Actor: form.Actor, Act: form.Act, Object: form.Object}
	f.Before, _ = strconv.ParseInt(c.Query("before"), 10, 64) // none is the first page
	return f, form
}

func (p *Pages) audit(c *gin.Context) {
	f, form := auditFilter(c)
	f.Limit = auditPage + 1
	records, err := p.o.Store.AuditRecords(c.Request.Context(), f)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Audit{Form: form, First: f.Before == 0}
	if len(records) > auditPage {
		records = records[:auditPage]
		q := url.Values{"actor": {form.Actor}, "act": {form.Act}, "object": {form.Object}, "before": {strconv.FormatInt(records[auditPage-1].Seq, 10)}}
		v.Next = "/audit?" + q.Encode()
	}
	v.Export = "/audit.csv?" + url.Values{"actor": {form.Actor}, "act": {form.Act}, "object": {form.Object}}.Encode()
	for _, r := range records {
		v.Records = append(v.Records, view.AuditRecord{
			Seq: r.Seq, At: r.At, ActorKind: r.ActorKind, Actor: r.Actor, Address: r.Address, Act: r.Act, Object: r.Object, Detail: detailText(r.Detail),
		})
	}
	p.render(c, http.StatusOK, page.Audit(p.shell(c, view.SectionAudit), v))
}

// detailText is a record's detail in one line.
func detailText(detail map[string]string) string {
	parts := make([]string, 0, len(detail))
	for _, key := range slices.Sorted(maps.Keys(detail)) {
		parts = append(parts, key+": "+detail[key])
	}
	return strings.Join(parts, "; ")
}

// auditCSV exports what the filter finds, all of it, newest first.
func (p *Pages) auditCSV(c *gin.Context) {
	f, _ := auditFilter(c)
	f.Limit = 1000
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="evergrant-audit.csv"`)
	w := csv.NewWriter(c.Writer)
	_ = w.Write([]string{"seq", "at", "actor_kind", "actor", "address", "act", "object_kind", "object", "detail"}) // errors show at Flush
	for {
		records, err := p.o.Store.AuditRecords(c.Request.Context(), f)
		if err != nil {
			p.o.Logger.Error("the audit records could not be exported to their end", "error", err)
			return
		}
		for _, r := range records {
			_ = w.Write(harmless(fmt.Sprint(r.Seq), r.At.UTC().Format(time.RFC3339), r.ActorKind, r.Actor, r.Address, r.Act, r.ObjectKind, r.Object, detailText(r.Detail)))
			f.Before = r.Seq
		}
		w.Flush()
		if len(records) < f.Limit || w.Error() != nil {
			return
		}
	}
}

// harmless keeps a spreadsheet from taking a value for a formula.
func harmless(values ...string) []string {
	for i, v := range values {
		if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
			values[i] = "'" + v
		}
	}
	return values
}

func (p *Pages) verifyAudit(c *gin.Context) {
	n, err := p.o.Store.VerifyAudit(c.Request.Context())
	if broken, ok := errors.AsType[*store.BrokenChainError](err); ok {
		p.flash(c, view.Flash{Key: "flash.audit_broken", Name: strconv.FormatInt(broken.Seq, 10), Bad: true})
	} else if err != nil {
		p.fail(c, err)
		return
	} else {
		p.flash(c, view.Flash{Key: "flash.audit_whole", Name: strconv.FormatInt(n, 10)})
	}
	back(c, "/audit")
}

// noted are the acts that leave an audit record when they succeed, by route. What is
// not here is noted by whoever carries it out.
var noted = map[string]struct{ act, kind string }{
	"/services/new/:provider":       {"service.add", "service"},
	"/services/:name/edit":          {"service.edit", "service"},
	"/services/:name/delete":        {"service.delete", "service"},
	"/connections/new":              {"connection.add", "connection"},
	"/connections/import":           {"connection.import", "connection"},
	"/connections/import/table":     {"connection.import_table", "connection"},
	"/connections/:name/authorize":  {"connection.authorize", "connection"},
	"/connections/:name/link":       {"connection.link", "connection"},
	"/connections/:name/paste":      {"connection.paste", "connection"},
	"/connections/:name/renew":      {"connection.renew", "connection"},
	"/connections/:name/pause":      {"connection.pause", "connection"},
	"/connections/:name/tags":       {"connection.tag", "connection"},
	"/connections/:name/resume":     {"connection.resume", "connection"},
	"/connections/:name/delete":     {"connection.delete", "connection"},
	"/connections/:name/revoke":     {"connection.revoke", "connection"},
	"/connections/:name/restore":    {"connection.restore", "connection"},
	"/connections/:name/codes":      {"connection.codes", "connection"},
	"/connections/:name/codes.json": {"connection.codes", "connection"},
	"/keys/new":                     {"key.add", "key"},
	"/keys/:id/rotate":              {"key.rotate", "key"},
	"/keys/:id/revoke":              {"key.revoke", "key"},
	"/settings/calendar":            {"calendar.make", "calendar"},
	"/settings/calendar/withdraw":   {"calendar.withdraw", "calendar"},
	"/settings/sessions/:id/end":    {"person.end_session", "person"},
	"/settings/sessions/end":        {"person.end_sessions", "person"},
	"/logout":                       {"person.logout", "person"},
	"/connections/:name/owner":      {"connection.owner", "connection"},
	"/escalations/:id/acknowledge":  {"escalation.acknowledge", "escalation"},
	"/escalations/:id/end":          {"escalation.end_drill", "escalation"},
	"/deliveries/:id/resend":        {"delivery.resend", "delivery"},
}

// note records a form that was carried out.
func (p *Pages) note(c *gin.Context) {
	c.Next()
	if c.Request.Method == http.MethodPost {
		p.counted.forget()
	}
	entry, there := noted[c.FullPath()]
	if !there || c.Request.Method != http.MethodPost || c.Writer.Status() >= http.StatusBadRequest {
		return
	}
	name := c.Param("name")
	for _, other := range []string{c.Param("id"), c.PostForm("name"), c.PostForm("title")} {
		if name == "" {
			name = other
		}
	}
	p.o.Audit.Record(context.WithoutCancel(c.Request.Context()), entry.act, audit.Object{Kind: entry.kind, Name: name})
}
