package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/overview"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/calendar"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// calendarPages serve the calendar of when people are needed.
type calendarPages struct {
	*kit
	people   *people.People
	overview *overview.Overview
}

func newCalendarPages(k *kit, o Options) *calendarPages {
	return &calendarPages{kit: k, people: o.People, overview: o.Overview}
}

func (p *calendarPages) open(in *gin.RouterGroup) { in.GET("/calendar/:file", p.calendar) }

func (p *calendarPages) routes(in inside) {
	manage := in.may(access.ActManage)
	manage.POST("/settings/calendar", p.makeCalendar)
	manage.POST("/settings/calendar/withdraw", p.withdrawCalendar)
}

// makeCalendar creates a new address and shows it once; the previous one stops working.
func (p *calendarPages) makeCalendar(c *gin.Context) {
	secret, err := p.people.MakeCalendar(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	address := p.publicURL + "/calendar/" + secret + ".ics?lang=" + i18n.Lang(c.Request.Context())
	if err := p.show(c, shownCalendar, address); err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/settings")
}

func (p *calendarPages) withdrawCalendar(c *gin.Context) {
	if err := p.people.WithdrawCalendar(c.Request.Context()); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.calendar_withdrawn"})
	back(c, "/settings")
}

// mostDates bounds the entries of a calendar.
const mostDates = 1000

// calendar serves the dates by which people are needed, as iCalendar. It names
// connections, but holds no secret.
func (p *calendarPages) calendar(c *gin.Context) {
	ctx := c.Request.Context()
	secret, isCalendar := strings.CutSuffix(c.Param("file"), ".ics")
	opens, err := p.people.CalendarOpens(ctx, secret)
	if err == nil && (!isCalendar || !opens) {
		c.String(http.StatusNotFound, "There is no such calendar; make a new address in the settings of the web hub.\n")
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	rows, err := p.overview.Forecast(ctx, mostDates)
	if err != nil {
		p.fail(c, err)
		return
	}
	s := i18n.NewSpeaker(i18n.Match(c.Query("lang"), c.GetHeader("Accept-Language")), nil, time.Now())
	entries := make([]calendar.Entry, len(rows))
	for i, row := range rows {
		entries[i] = p.entryOf(s, row)
	}
	c.Header("Content-Type", "text/calendar; charset=utf-8")
	c.Header("Cache-Control", "no-store")
	c.Status(http.StatusOK)
	if err := calendar.Write(c.Writer, s.Say("calendar.name"), entries); err != nil {
		p.logger.Debug("write calendar failed", "error", err)
	}
}

// entryOf is the entry of a date: of a connection, or of a service whose client secret or
// certificate ends.
func (p *calendarPages) entryOf(s *i18n.Speaker, row statsdb.ForecastRow) calendar.Entry {
	uid, page, summary := row.ID, p.publicURL+"/connections/"+url.PathEscape(row.Name), s.Say("calendar.summary", "Name", row.Title)
	if row.ServiceName != "" {
		uid, page = fmt.Sprintf("%s-%d", row.ServiceID, row.By.Unix()), p.publicURL+"/services/"+url.PathEscape(row.ServiceName)
		summary = s.Say("calendar.secret_summary", "Name", row.Title)
	}
	if row.Reason == overview.ReasonCertificateEnds {
		uid, page = uid+"-certificate", page+"/keys"
		summary = s.Say("calendar.certificate_summary", "Name", row.Title)
	}
	return calendar.Entry{
		UID: uid + "@evergrant", At: row.By, Changed: row.UpdatedAt, URL: page, Summary: summary, Description: s.Say("calendar."+row.Reason) + "\n" + page,
	}
}
