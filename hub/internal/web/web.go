package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/data"
	"github.com/evergrant/evergrant/hub/internal/app/definitions"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/app/keys"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/app/overview"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/app/plugins"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/changes"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/web/assets"
)

// Options of the web hub.
type Options struct {
	Access    *access.Access
	Catalogue *catalogue.Catalogue
	Flow      *authflow.Flow
	Source    *tokensource.Source
	Audit     *audit.Log
	Changes   *changes.Notifier
	Bulk      *bulk.Runner
	// Connections, Grants and Services carry out the acts on them and record them.
	Connections *connections.Connections
	Grants      *grants.Grants
	Services    *services.Services
	// OIDC is the sign-in service; nil without one.
	OIDC *access.OIDC
	// The acts that pages ask for, by area.
	People        *people.People
	Keys          *keys.Keys
	Plugins       *plugins.Plugins
	Definitions   *definitions.Definitions
	Notifications *notifications.Notifications
	Data          *data.Data
	// Overview reads what there is, across the areas.
	Overview *overview.Overview
	// Escalation notifies people of trouble.
	Escalation *escalation.Escalation
	// Damages are the parts of the reply journal that could not be read.
	Damages func() []journal.Damage
	// Backups returns the state of scheduled backups and their interval; 0 without a
	// schedule.
	Backups func(ctx context.Context) (backup.State, time.Duration)
	// Machine has what the overview shows about clocks, copies and replicas.
	Machine Machine
	// Ending is closed when the hub begins to stop.
	Ending <-chan struct{}
	Logger hclog.Logger
	// PublicURL is the hub's address as browsers see it.
	PublicURL string
	Version   string
	// SessionIdle ends a session that is not used, SessionAbsolute any.
	SessionIdle, SessionAbsolute time.Duration
	// TrashKeep is how long a deleted connection can be put back.
	TrashKeep time.Duration
	// Streams bounds what is held open, for the API as well; nil is no bound.
	Streams *bounded.Held
}

// Pages serves the web hub: the areas, and what is in front of all of them.
type Pages struct {
	*kit
	gate      *gate
	directory *directory
	keys      *keyPages
	strangers []openArea
	areas     []area
	// open are the routes that need nobody to be signed in.
	open map[string]bool
}

// area registers the routes of one area that need somebody to be signed in.
type area interface{ routes(in inside) }

// openArea registers the routes of one area that need nobody to be signed in.
type openArea interface{ open(in *gin.RouterGroup) }

// New returns the web hub; Register puts it on a router.
func New(o Options) *Pages {
	k, d := newKit(o), newDirectory(o)
	front := newFrontDoor(k, d, o)
	g, exchange, hub := newGate(k, front, o), newPasskeyExchange(k, o), newDataPages(k, d, o)
	granting := newGrantPages(k, d, front, o)
	conns, serving := newConnectionPages(k, d, granting, o), newServicePages(k, d, o)
	login, escalations, calendars := newLoginPages(k, exchange, front, o), newEscalationPages(k, d, conns, o), newCalendarPages(k, o)
	p := &Pages{kit: k, gate: g, directory: d, keys: newKeyPages(k, d, o)}
	p.strangers = []openArea{login, granting, escalations, calendars, front, serving}
	p.areas = []area{
		newOverviewPages(k, d, hub, o), newLivePages(k, o), calendars, hub, newAuditPages(k, o),
		conns, granting, newTrashPages(k, d, o), newBulkPages(k, d, o), newImportPages(k, d, o), newPickPages(k, o),
		serving, newRequestPages(k, o), newPluginPages(k, d, o), newDefinitionPages(k, d, o), p.keys,
		login, newSettingsPages(k, exchange, g, o), newPeoplePages(k, o), escalations, newEscalationSetup(k, d, o),
	}
	return p
}

// Sessions wraps the router: pages have a session and refuse requests from other sites. The
// API has neither; it authenticates by keys.
func (p *Pages) Sessions(router http.Handler) http.Handler {
	// Requests from other sites are refused by their Origin or Sec-Fetch-Site, so
	// forms need no tokens (net/http.CrossOriginProtection).
	p.keys.router = router
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(p.crossOrigin))
	protection.AddInsecureBypassPattern("POST /callback/{service}") // it only redirects to the address of a callback
	guarded := protection.Handler(p.sessions.LoadAndSave(router))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hasNoSession(r.URL.Path) {
			router.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func hasNoSession(path string) bool {
	// Pictures come beside a page: a session that each of them read and wrote again would undo
	// what a form has just put into it.
	picture := strings.HasPrefix(path, "/providers/") && strings.HasSuffix(path, "/icon")
	return picture || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, assets.Prefix) || path == "/healthz" || path == "/readyz"
}

// Register puts the pages on a router.
func (p *Pages) Register(router *gin.Engine) {
	router.GET(assets.Prefix+"*file", gin.WrapF(assets.Serve))
	router.HEAD(assets.Prefix+"*file", gin.WrapF(assets.Serve))
	router.GET("/providers/:name/icon", p.directory.icon) // open pages show it as well
	p.registerOpen(router)
	in := p.gate.inside(router)
	for _, a := range p.areas {
		a.routes(in)
	}
	for _, route := range router.Routes() {
		if route.Method == http.MethodGet {
			p.addresses = append(p.addresses, strings.Split(route.Path, "/"))
		}
	}
}

// registerOpen registers the pages of strangers, and notes which routes are open: all that are
// there before those of people who are signed in.
func (p *Pages) registerOpen(router *gin.Engine) {
	in := router.Group("", p.gate.watchForms, p.speak)
	for _, a := range p.strangers {
		a.open(in)
	}
	p.open = map[string]bool{}
	for _, route := range router.Routes() {
		p.open[route.Path] = !strings.HasPrefix(route.Path, "/api/")
	}
}

// IsOpen reports whether a route needs nobody to be signed in.
func (p *Pages) IsOpen(route string) bool { return p.open[route] }
