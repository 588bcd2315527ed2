package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// countsLive is how long a count of all connections is good for: every page shows
// it, and it looks at every row.
const countsLive = time.Second

// countCache keeps the last count. Its zero value has none.
type countCache struct {
	mu     sync.Mutex
	at     time.Time
	counts view.Counts
}

// forget has the next page count anew: the person has just changed something.
func (x *countCache) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = time.Time{}
}

// forgetCounts has what is counted counted anew after a form, whatever it has done.
func (p *Pages) forgetCounts(c *gin.Context) {
	c.Next()
	if c.Request.Method == http.MethodPost {
		p.counted.forget()
	}
}

// counts counts the connections by how they stand.
func (p *Pages) counts(ctx context.Context) (view.Counts, error) {
	p.counted.mu.Lock()
	defer p.counted.mu.Unlock()
	now := time.Now()
	if now.Sub(p.counted.at) < countsLive {
		return p.counted.counts, nil
	}
	byStatus, err := p.o.Overview.CountByStatus(ctx, now)
	if err != nil {
		return view.Counts{}, err
	}
	counts := view.CountsByStatus(byStatus)
	p.counted.at, p.counted.counts = now, counts
	return counts, nil
}

// Bounds of what the overview reads.
const (
	overviewAcute = 20
	overviewSoon  = 8
	overviewNext  = 6
)

func (p *Pages) overview(c *gin.Context) {
	v, err := p.overviewOf(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	p.render(c, http.StatusOK, page.Overview(p.shell(c, view.SectionOverview), v))
}

// overviewOf reads what the overview shows, however many connections there are.
func (p *Pages) overviewOf(c *gin.Context) (v view.Overview, err error) {
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
		some, err := p.o.Connections.List(ctx, f)
		if err != nil {
			return v, err
		}
		read = append(read, some...)
	}
	needed, err := p.o.Overview.PersonNeeded(ctx, overviewSoon)
	if err != nil {
		return v, err
	}
	next, err := p.o.Overview.Upcoming(ctx, overviewNext)
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
	plugins := p.o.Plugins.Status()
	for _, plugin := range plugins {
		if plugin.State == "failed" || plugin.State == "backoff" {
			v.Plugins = append(v.Plugins, view.PluginTrouble{Name: plugin.Name, Failed: plugin.State == "failed", Said: plugin.LastError})
		}
	}
	if len(v.Plugins) == 0 {
		v.PluginsWell = len(plugins)
	}
	untold, err := p.o.Overview.Untold(ctx)
	if err != nil {
		return v, err
	}
	v.Untold = int(untold)
	if v.Doubtful, err = p.doubtfulServices(c); err != nil {
		return v, err
	}
	if v.OffPolicies, err = p.doubtfulPolicies(c); err != nil {
		return v, err
	}
	for _, d := range p.o.Damages() {
		v.Damages = append(v.Damages, view.Damage{Segment: d.Segment, KeptAs: d.KeptAs, Bytes: d.Bytes, Noticed: d.Noticed})
	}
	if v.Requests, err = p.o.Overview.OpenServiceRequests(ctx); err != nil {
		return v, err
	}
	v.Backup = p.backupTrouble(ctx, time.Now())
	if v.Machine, err = p.machine(ctx); err != nil {
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
func (p *Pages) renewedHours(ctx context.Context) ([]view.RenewedBar, error) {
	first := time.Now().UTC().Truncate(time.Hour).Add(-(renewedBack - 1) * time.Hour)
	hours, err := p.o.Overview.RenewalHours(ctx, first)
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
func (p *Pages) expiries(ctx context.Context) ([]view.Bar, error) {
	now := time.Now()
	counts, err := p.o.Overview.PersonNeededByDay(ctx, now, expiryDays)
	bars := make([]view.Bar, 0, len(counts))
	for day, n := range counts {
		bars = append(bars, view.Bar{At: now.AddDate(0, 0, day), N: n})
	}
	return bars, err
}

// liveEvery is the least time between two tells of the live stream.
const liveEvery = time.Second

// live tells a page that something has changed, as server-sent events; the page then
// asks for its live parts again. It says nothing else, so it needs no more rights.
func (p *Pages) live(c *gin.Context) {
	ctx := c.Request.Context()
	u, _ := person(c)
	leave, ok := p.o.Streams.Hold("person " + u.ID)
	if !ok {
		c.Header("Retry-After", "30")
		c.Status(http.StatusTooManyRequests)
		return
	}
	defer leave()
	changes := p.o.Changes.Subscribe()
	defer changes.Close()
	c.Header("Content-Type", "text/event-stream")
	c.Header("Cache-Control", "no-store")
	c.Header("X-Accel-Buffering", "no")
	if err := http.NewResponseController(c.Writer).SetWriteDeadline(time.Time{}); err != nil {
		p.o.Logger.Debug("extend write deadline of live page failed", "error", err)
	}
	say := func(text string) bool {
		_, err := c.Writer.WriteString(text)
		c.Writer.Flush()
		return err == nil
	}
	if !say(": here\n\n") {
		return
	}
	quiet := time.NewTicker(20 * time.Second)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.ending:
			return
		case <-quiet.C:
			if !say(": still here\n\n") {
				return
			}
		case <-changes.Ready():
			changes.Take()
			p.counted.forget()
			if !say("event: changed\ndata: 1\n\n") {
				return
			}
			select {
			case <-time.After(liveEvery):
			case <-ctx.Done():
				return
			}
		}
	}
}

// backupTrouble looks at the scheduled backups; nil if they are well or there are none.
func (p *Pages) backupTrouble(ctx context.Context, now time.Time) *view.BackupTrouble {
	state, every := p.o.Backups(ctx)
	if every == 0 || state.Problem == "" && (state.GoodAt.IsZero() || now.Sub(state.GoodAt) <= 2*every) {
		return nil
	}
	return &view.BackupTrouble{Problem: state.Problem, GoodAt: state.GoodAt}
}
