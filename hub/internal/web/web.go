package web

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gin-gonic/gin"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/data"
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
	"github.com/evergrant/evergrant/hub/internal/mount"
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
	Notifications *notifications.Notifications
	Data          *data.Data
	// Overview reads what there is, across the areas.
	Overview *overview.Overview
	// Escalation tells people of trouble.
	Escalation *escalation.Escalation
	// Damages are the parts of the reply journal that could not be read.
	Damages func() []journal.Damage
	// Backups tells how scheduled backups went and how often one is made; 0 without a
	// schedule.
	Backups func(ctx context.Context) (backup.State, time.Duration)
	// Machine is what the overview tells of clocks, copies and replicas.
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

// Pages serves the web hub.
type Pages struct {
	o        Options
	sessions *scs.SessionManager
	passkeys *access.Passkeys
	secure   bool // cookies travel over https alone
	// base is the path of PublicURL, which package mount puts before all addresses but
	// those in JSON.
	base    string
	counted countCache
	// pulled is set once it is known that a token was pulled.
	pulled atomic.Bool
	// router serves everything, pages the addresses of pages in parts.
	router http.Handler
	pages  [][]string
	// open are the routes that need nobody to be signed in.
	open map[string]bool
	// ending is closed when the hub stops: live pages must not hold it up.
	ending <-chan struct{}
}

// New returns the web hub; Register puts it on a router.
func New(o Options) *Pages {
	p := &Pages{o: o, ending: o.Ending, secure: strings.HasPrefix(o.PublicURL, "https://")}
	p.o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	p.base = mount.Path(p.o.PublicURL)
	p.passkeys = o.Access.Passkeys(p.o.PublicURL)
	p.sessions = p.newSessions()
	return p
}

// Sessions wraps the router: pages get a session and refuse what another site
// sends; the API has neither, it knows keys.
func (p *Pages) Sessions(router http.Handler) http.Handler {
	// Requests from other sites are refused by their Origin or Sec-Fetch-Site, so
	// forms need no tokens (net/http.CrossOriginProtection).
	p.router = router
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(p.crossOrigin))
	protection.AddInsecureBypassPattern("POST /callback/{service}") // it only leads on to the address of a callback
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

	open := router.Group("", p.watchForms, p.speak)
	router.GET("/providers/:name/icon", p.icon) // strangers are shown whose service it is
	open.GET("/setup", p.setupForm)
	open.POST("/setup", p.setup)
	open.GET("/login", p.loginForm)
	open.POST("/login", p.login)
	open.GET("/login/oidc", p.oidcBegin)
	open.GET("/login/oidc/callback", p.oidcCallback)
	open.POST("/login/passkey/begin", p.beginPasskeyLogin)
	open.POST("/login/passkey/finish", p.passkeyLogin)
	open.GET("/login/code", p.codeForm)
	open.POST("/login/code", p.loginCode)
	open.GET("/grant/:token", p.grantPage)
	open.POST("/grant/:token", p.follow)
	open.GET("/ack/:token", p.ackPage)
	open.POST("/ack/:token", p.ack)
	open.GET("/invite", p.inviteForm)
	open.POST("/invite", p.acceptInvite)
	open.POST("/preferences", p.preferences)
	open.GET("/callback/:service", p.callback)
	open.POST("/callback/:service", p.postedCallback)
	open.GET("/calendar/:file", p.calendar)
	open.GET(departurePage+"/:id", p.departure)
	open.GET(frontPage, p.front)
	open.POST(frontPage+"/:service", p.takeCodes)
	open.GET(askPage, p.askForm)
	open.POST(askPage, p.ask)
	open.GET("/grant/:token"+askPage, p.askForm)
	open.POST("/grant/:token"+askPage, p.ask)

	p.open = map[string]bool{}
	for _, route := range router.Routes() {
		p.open[route.Path] = !strings.HasPrefix(route.Path, "/api/")
	}
	in := router.Group("", p.watchForms, p.speak, p.signedIn, p.factored, p.forgetCounts)
	p.registerSee(in.Group("", p.may(access.ActSee)))
	p.registerSelf(in.Group("", p.may(access.ActSelf)))
	p.registerOperate(in.Group("", p.may(access.ActOperate)))
	p.registerManage(in.Group("", p.may(access.ActManage)))
	p.registerPicks(in.Group("", p.may(access.ActSee)), in.Group("", p.may(access.ActManage)))
	p.registerEscalation(in.Group("", p.may(access.ActSee)), in.Group("", p.may(access.ActOperate)), in.Group("", p.may(access.ActManage)))
	p.registerPeople(in.Group("", p.may(access.ActPeople)))
	in.POST("/people/require-second-factor", p.may(access.ActRequire), p.proven, p.requireSecondFactor)
	publishing := in.Group("", p.may(access.ActPublish))
	publishing.POST("/services/:name/publish", p.publish)
	publishing.POST("/services/:name/unpublish", p.unpublish)
	in.POST("/services/consent-hosts", p.may(access.ActConsent), p.proven, p.consentHosts)
	withdrawals := in.Group("", p.may(access.ActWithdraw))
	withdrawals.GET("/withdrawn", p.withdrawn)
	withdrawals.POST("/withdrawn", p.withdrawAgain)
	records := in.Group("", p.may(access.ActAudit))
	records.GET("/audit", p.audit)
	records.GET("/audit.csv", p.auditCSV)
	records.POST("/audit/verify", p.verifyAudit)
	codes := in.Group("", p.may(access.ActCodes))
	codes.GET("/connections/:name/codes", p.codes)
	codes.POST("/connections/:name/codes", p.askCodes)
	codes.GET("/once", p.onceForm)
	codes.POST("/once", p.once)
	codes.POST("/connections/:name/codes.json", p.codesFile)
	for _, route := range router.Routes() {
		if route.Method == http.MethodGet {
			p.pages = append(p.pages, strings.Split(route.Path, "/"))
		}
	}
}

// IsOpen reports whether a route needs nobody to be signed in.
func (p *Pages) IsOpen(route string) bool { return p.open[route] }

// registerSee is what everybody may look at.
func (p *Pages) registerSee(in *gin.RouterGroup) {
	in.GET("/", p.overview)
	in.GET("/services", p.services)
	in.GET("/services/:name", p.service)
	in.GET("/live", p.live)
	in.GET("/connections", p.connections)
	in.GET("/connections.csv", p.connectionsCSV)
	in.GET("/connections/:name", p.connection)
	in.GET("/plugins", p.plugins)
	in.GET("/plugins/:name", p.plugin)
	in.GET("/restored", p.restored)
}

// registerSelf is what everybody does with themselves.
func (p *Pages) registerSelf(in *gin.RouterGroup) {
	in.POST("/logout", p.logout)
	in.GET("/settings", p.settings)
	in.POST("/settings/password", p.changePassword)
	in.POST("/settings/sessions/:id/end", p.endSession)
	in.POST("/settings/sessions/end", p.endOtherSessions)
	in.GET(proofPage, p.proofForm)
	in.POST(proofPage, p.confirm)
	in.GET(factorPage, p.secondFactorForm)
	in.POST(factorPage, p.proven, p.confirmSecondFactor)
	in.POST("/settings/second-factor/drop", p.dropSecondFactor)
	in.POST("/settings/passkeys/begin", p.proven, p.beginPasskey)
	in.POST("/settings/passkeys/finish", p.proven, p.addPasskey)
	in.POST("/settings/passkeys/:id/remove", p.proven, p.removePasskey)
}

// registerOperate keeps connections going.
func (p *Pages) registerOperate(in *gin.RouterGroup) {
	in.POST("/connections/:name/authorize", p.authorize)
	in.POST("/connections/:name/paste", p.paste)
	in.POST("/connections/:name/link", p.makeLink)
	in.POST("/connections/:name/renew", p.renew)
	in.POST("/connections/:name/test-call", p.testCall)
	in.POST("/connections/:name/pause", p.pause)
	in.POST("/connections/:name/tags", p.setTags)
	in.POST("/bulk", p.bulk)
	in.GET("/bulk/:id", p.bulkRun)
	in.POST("/bulk/:id/cancel", p.cancelBulk)
	in.POST("/connections/:name/resume", p.resume)
}

// registerManage changes what there is.
func (p *Pages) registerManage(in *gin.RouterGroup) {
	in.GET("/services/new", p.gallery)
	in.GET("/services/new/:provider", p.serviceForm)
	in.POST("/services/new/:provider", p.addService)
	in.POST("/services/new/:provider/check", p.checkNew)
	in.POST("/services/:name/check", p.checkEdited)
	in.GET("/services/:name/edit", p.editForm)
	in.POST("/services/:name/edit", p.editService)
	in.POST("/services/:name/delete", p.deleteService)
	in.POST("/services/:name/doubts", p.settleDoubts)
	in.GET("/connections/new", p.connectionForm)
	in.POST("/connections/new", p.addConnection)
	in.GET("/connections/import", p.importForm)
	in.POST("/connections/import", p.importOne)
	in.POST("/connections/import/table", p.importMany)
	in.POST("/connections/:name/delete", p.deleteConnection)
	in.GET("/trash", p.trash)
	in.GET("/requests", p.requests)
	in.POST("/requests/:id", p.decideRequest)
	in.POST("/trash/:id/put-back", p.putBack)
	in.POST("/trash/:id/remove", p.removeTrashed)
	in.POST("/connections/:name/revoke", p.revoke)
	in.POST("/connections/:name/restore", p.restore)
	in.POST("/connections/:name/offer/take", p.takeOffer)
	in.POST("/connections/:name/offer/drop", p.dropOffer)
	in.GET("/keys", p.keys)
	in.GET("/keys/new", p.keyForm)
	in.POST("/keys/new", p.createKey)
	in.GET(keyCreated, p.newKey)
	in.POST(keyCreated, p.tryKey)
	in.POST("/keys/pick", p.pickForKey)
	in.POST("/keys/:id/rotate", p.rotateKey)
	in.POST("/keys/:id/revoke", p.revokeKey)
	p.registerPlugins(in)
	in.POST("/data/adopt", p.adoptData)
	in.POST("/data/key-kept", p.keepKey)
	in.POST("/restored/behind", p.decideBehind)
	in.POST("/settings/calendar", p.makeCalendar)
	in.POST("/settings/calendar/withdraw", p.withdrawCalendar)
}
