package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// departurePage is the page before a browser is sent to a service.
const departurePage = "/departure"

// mostDepartures bounds the departures of a session that can be seen again: people open
// several at once.
const mostDepartures = 8

// departed is a departure in a session. The authorization of it has begun, so that
// reloading its page begins no second one.
type departed struct {
	ID string
	view.Departure
}

// sendAway redirects to the page that sends the browser to a service.
func (k *kit) sendAway(c *gin.Context, v view.Departure) {
	target, err := url.Parse(v.URL)
	if err != nil {
		k.fail(c, err)
		return
	}
	v.Host = target.Host
	d := departed{ID: store.NewID(), Departure: v}
	all, _ := toShow[[]departed](k, c, shownDepartures)
	if all = append(all, d); len(all) > mostDepartures {
		all = all[len(all)-mostDepartures:]
	}
	if err := k.show(c, shownDepartures, all); err != nil {
		k.fail(c, err)
		return
	}
	back(c, departurePage+"/"+d.ID)
}

// departure shows which host the browser is sent to, and sends it there. An unknown or
// expired departure redirects to the overview.
func (p *grantPages) departure(c *gin.Context) {
	all, _ := toShow[[]departed](p.kit, c, shownDepartures)
	i := slices.IndexFunc(all, func(d departed) bool { return d.ID == c.Param("id") })
	if i < 0 {
		back(c, "/")
		return
	}
	c.Header("Refresh", "0;url="+all[i].URL) // the page goes on by itself; its button is for browsers that do not
	c.Header("Referrer-Policy", "no-referrer")
	p.render(c, http.StatusOK, page.Departure(p.shell(c, view.SectionConnections), all[i].Departure))
}
