package web

import (
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

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/data"
	"github.com/evergrant/evergrant/hub/internal/app/overview"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// auditPages show the audit log and verify its chain.
type auditPages struct {
	*kit
	overview *overview.Overview
	data     *data.Data
}

func newAuditPages(k *kit, o Options) *auditPages {
	return &auditPages{kit: k, overview: o.Overview, data: o.Data}
}

func (p *auditPages) routes(in inside) {
	records := in.may(access.ActAudit)
	records.GET("/audit", p.audit)
	records.GET("/audit.csv", p.auditCSV)
	records.POST("/audit/verify", p.verifyAudit)
}

// auditPage is how many records a page shows.
const auditPage = 100

// auditFilter reads the filter of a query. An invalid day is reported and ignored.
func auditFilter(c *gin.Context) (auditdb.AuditFilter, view.AuditForm) {
	form := view.AuditForm{
		Actor: strings.TrimSpace(c.Query("actor")), Act: c.Query("act"), Object: strings.TrimSpace(c.Query("object")), Outcome: c.Query("outcome"),
		From: strings.TrimSpace(c.Query("from")), To: strings.TrimSpace(c.Query("to")),
	}
	f := auditdb.AuditFilter{Actor: form.Actor, Act: form.Act, Object: form.Object, Outcome: form.Outcome}
	f.Before, _ = strconv.ParseInt(c.Query("before"), 10, 64) // none is the first page
	zone := i18n.From(c.Request.Context()).Zone
	f.From = dayOf(form.From, zone, &form.Wrong)
	if f.To = dayOf(form.To, zone, &form.Wrong); !f.To.IsZero() {
		f.To = f.To.AddDate(0, 0, 1) // that day is in
	}
	return f, form
}

// dayOf returns the beginning of a day in the reader's time zone; an invalid day is zero and
// is reported.
func dayOf(day string, zone *time.Location, wrong *string) time.Time {
	if day == "" {
		return time.Time{}
	}
	at, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		*wrong = day
	}
	return at
}

// auditQuery returns the query of a filter.
func auditQuery(form view.AuditForm) url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"actor": form.Actor, "act": form.Act, "object": form.Object, "outcome": form.Outcome, "from": form.From, "to": form.To} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

func (p *auditPages) audit(c *gin.Context) {
	f, form := auditFilter(c)
	f.Limit = auditPage + 1
	records, err := p.overview.Records(c.Request.Context(), f)
	if err != nil {
		p.fail(c, err)
		return
	}
	q := auditQuery(form)
	v := view.Audit{Form: form, First: f.Before == 0, Export: "/audit.csv?" + q.Encode()}
	if len(records) > auditPage {
		records = records[:auditPage]
		q.Set("before", strconv.FormatInt(records[auditPage-1].Seq, 10))
		v.Next = "/audit?" + q.Encode()
	}
	for _, r := range records {
		v.Records = append(v.Records, view.AuditRecord{
			Seq: r.Seq, At: r.At, ActorKind: r.ActorKind, Actor: r.Actor, Address: r.Address, Act: r.Act, Object: r.Object, Outcome: r.Outcome, Detail: r.Detail,
		})
	}
	p.render(c, http.StatusOK, page.Audit(p.shell(c, view.SectionAudit), v))
}

// detailText returns a record's detail in one line, for machines.
func detailText(detail map[string]string) string {
	parts := make([]string, 0, len(detail))
	for _, key := range slices.Sorted(maps.Keys(detail)) {
		parts = append(parts, key+": "+detail[key])
	}
	return strings.Join(parts, "; ")
}

// auditCSV exports all records that the filter finds, newest first.
func (p *auditPages) auditCSV(c *gin.Context) {
	f, _ := auditFilter(c)
	f.Limit = 1000
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="evergrant-audit.csv"`)
	w := csv.NewWriter(c.Writer)
	_ = w.Write([]string{"seq", "at", "actor_kind", "actor", "address", "act", "object_kind", "object", "detail", "outcome"}) // errors show at Flush
	for {
		records, err := p.overview.Records(c.Request.Context(), f)
		if err != nil {
			p.logger.Error("export audit records failed", "error", err)
			return
		}
		for _, r := range records {
			_ = w.Write(harmless(fmt.Sprint(r.Seq), r.At.UTC().Format(time.RFC3339), r.ActorKind, r.Actor, r.Address, r.Act, r.ObjectKind, r.Object, detailText(r.Detail), r.Outcome))
			f.Before = r.Seq
		}
		w.Flush()
		if len(records) < f.Limit || w.Error() != nil {
			return
		}
	}
}

// harmless escapes a value that a spreadsheet would evaluate as a formula.
func harmless(values ...string) []string {
	for i, v := range values {
		if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
			values[i] = "'" + v
		}
	}
	return values
}

func (p *auditPages) verifyAudit(c *gin.Context) {
	n, err := p.data.VerifyAudit(c.Request.Context())
	if broken, ok := errors.AsType[*auditdb.BrokenChainError](err); ok {
		p.flash(c, view.Flash{Key: "flash.audit_broken", Name: strconv.FormatInt(broken.Seq, 10), Bad: true})
	} else if err != nil {
		p.fail(c, err)
		return
	} else {
		p.flash(c, view.Flash{Key: "flash.audit_whole", Name: strconv.FormatInt(n, 10)})
	}
	back(c, "/audit")
}
