package web

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/app/overview"
	"github.com/evergrant/evergrant/hub/internal/app/plugins"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// overviewPages show what needs a person now, across the areas.
type overviewPages struct {
	*kit
	*directory
	overview      *overview.Overview
	connections   *connections.Connections
	services      *services.Services
	notifications *notifications.Notifications
	plugins       *plugins.Plugins
	hub           *dataPages
	// pulled is set once it is known that a token was pulled.
	pulled atomic.Bool
}

func newOverviewPages(k *kit, d *directory, hub *dataPages, o Options) *overviewPages {
	return &overviewPages{
		kit: k, directory: d, overview: o.Overview, connections: o.Connections, services: o.Services, notifications: o.Notifications, plugins: o.Plugins, hub: hub,
	}
}

func (p *overviewPages) routes(in inside) { in.may(access.ActSee).GET("/", p.home) }

// Bounds of what the overview reads.
const (
	overviewAcute = 20
	overviewSoon  = 8
	overviewNext  = 6
)

func (p *overviewPages) home(c *gin.Context) {
	v, err := p.overviewOf(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	p.render(c, http.StatusOK, page.Overview(p.shell(c, view.SectionOverview), v))
}

// overviewOf reads what the overview shows, however many connections there are.
func (p *overviewPages) overviewOf(c *gin.Context) (v view.Overview, err error) {
	ctx := c.Request.Context()
	refs, err := p.serviceRefs(c)
	if err != nil {
		return v, err
	}
	var read []connection.Connection
	for _, f := range []grantdb.Filter{
		{Status: connection.StatusNeedsAuthorization, Limit: overviewAcute}, {Status: connection.StatusNeedsOperator, Limit: overviewAcute},
		{Status: connection.StatusExpires, Sort: grantdb.SortExpires, Limit: overviewSoon},
	} {
		some, err := p.connections.List(ctx, f)
		if err != nil {
			return v, err
		}
		read = append(read, some...)
	}
	needed, err := p.overview.PersonNeeded(ctx, overviewSoon)
	if err != nil {
		return v, err
	}
	next, err := p.overview.Upcoming(ctx, overviewNext)
	if err != nil {
		return v, err
	}
	v = view.OverviewOf(rowsOf(once(append(append(read, needed...), next...)), refs, nil), len(refs))
	if v.Counts, err = p.counts(ctx); err != nil {
		return v, err
	}
	if v.First, err = p.firstSteps(ctx, len(refs), v.Counts.Total); err != nil {
		return v, err
	}
	if err = p.problemGroups(ctx, &v, refs); err != nil {
		return v, err
	}
	if v.Incidents, v.Over, err = p.incidents(ctx); err != nil {
		return v, err
	}
	plugins := p.plugins.Status()
	for _, plugin := range plugins {
		if plugin.State == "failed" || plugin.State == "backoff" {
			v.Plugins = append(v.Plugins, view.PluginTrouble{Name: plugin.Name, Failed: plugin.State == "failed", Said: plugin.LastError})
		}
	}
	if len(v.Plugins) == 0 {
		v.PluginsWell = len(plugins)
	}
	untold, err := p.overview.Untold(ctx)
	if err != nil {
		return v, err
	}
	v.Untold = int(untold)
	if v.Doubtful, err = p.doubtfulServices(c); err != nil {
		return v, err
	}
	if v.Secrets, err = p.endingSecrets(c); err != nil {
		return v, err
	}
	if v.OffPolicies, err = p.doubtfulPolicies(c); err != nil {
		return v, err
	}
	for _, d := range p.hub.damages() {
		v.Damages = append(v.Damages, view.Damage{Segment: d.Segment, KeptAs: d.KeptAs, Bytes: d.Bytes, Noticed: d.Noticed})
	}
	if v.Requests, err = p.overview.OpenServiceRequests(ctx); err != nil {
		return v, err
	}
	v.Backup = p.hub.backupTrouble(ctx, time.Now())
	if v.Machine, err = p.hub.machineView(ctx); err != nil {
		return v, err
	}
	if v.Renewed, err = p.renewedHours(ctx); err != nil {
		return v, err
	}
	v.Expiries, err = p.expiries(ctx)
	return v, err
}

// once keeps the first of each connection.
func once(connections []connection.Connection) []connection.Connection {
	seen := map[string]bool{}
	kept := connections[:0]
	for _, c := range connections {
		if !seen[c.ID] {
			seen[c.ID] = true
			kept = append(kept, c)
		}
	}
	return kept
}

// renewedBack is how many hours the chart of renewals looks back.
const renewedBack = 48

// renewedHours counts how renewals ended in the last two days, by hour.
func (p *overviewPages) renewedHours(ctx context.Context) ([]view.RenewedBar, error) {
	first := time.Now().UTC().Truncate(time.Hour).Add(-(renewedBack - 1) * time.Hour)
	hours, err := p.overview.RenewalHours(ctx, first)
	bars := make([]view.RenewedBar, renewedBack)
	for i := range bars {
		bars[i].At = first.Add(time.Duration(i) * time.Hour)
	}
	for _, h := range hours {
		i := int(h.Hour.Sub(first) / time.Hour)
		switch {
		case i < 0 || i >= len(bars):
		case h.Outcome == "renewed":
			bars[i].Renewed += h.N
		default:
			bars[i].Failed += h.N
		}
	}
	return bars, err
}

// expiryDays is how far the chart of expiries looks ahead.
const expiryDays = 30

// expiries counts by when people are needed, by day from today.
func (p *overviewPages) expiries(ctx context.Context) ([]view.Bar, error) {
	now := time.Now()
	counts, err := p.overview.PersonNeededByDay(ctx, now, expiryDays)
	bars := make([]view.Bar, 0, len(counts))
	for day, n := range counts {
		bars = append(bars, view.Bar{At: now.AddDate(0, 0, day), N: n})
	}
	return bars, err
}
