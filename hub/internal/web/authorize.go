package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// grantPages take a browser through an authorization: of a connection, by a link, or once.
type grantPages struct {
	*kit
	*directory
	grants      *grants.Grants
	connections *connections.Connections
	services    *services.Services
	front       *frontDoor
}

func newGrantPages(k *kit, d *directory, front *frontDoor, o Options) *grantPages {
	return &grantPages{kit: k, directory: d, grants: o.Grants, connections: o.Connections, services: o.Services, front: front}
}

func (p *grantPages) open(in *gin.RouterGroup) {
	in.GET("/grant/:token", p.grantPage)
	in.POST("/grant/:token", p.follow)
	in.GET("/grant/:token"+devicePage, p.deviceOfLink)
	in.GET("/callback/:service", p.callback)
	in.POST("/callback/:service", p.postedCallback)
	in.GET(departurePage+"/:id", p.departure)
}

func (p *grantPages) routes(in inside) {
	operate, codes := in.may(access.ActOperate), in.may(access.ActCodes)
	operate.POST("/connections/:name/authorize", p.authorize)
	operate.GET("/connections/:name"+devicePage, p.device)
	operate.POST("/connections/:name/link", p.makeLink)
	codes.GET("/once", p.onceForm)
	codes.POST("/once", p.once)
}

// authorize starts an authorization and shows where the browser goes next.
func (p *grantPages) authorize(c *gin.Context) { p.depart(c, c.Param("name")) }

// depart starts an authorization of a connection.
func (p *grantPages) depart(c *gin.Context, name string) {
	way := wayOf(c, "/connections/"+url.PathEscape(name))
	if conn, _, err := p.connections.Find(c.Request.Context(), connections.Named(name)); err == nil && conn.Grant == provider.GrantDevice {
		p.departOnDevice(c, way, conn)
		return
	}
	d, err := p.grants.Start(c.Request.Context(), name, way)
	p.leave(c, way, d, d.Connection.Title, err)
}

// wayOf describes an authorization that is started in a browser.
func wayOf(c *gin.Context, returnTo string) grants.Way {
	return grants.Way{Browser: browserOf(c), ReturnTo: returnTo, Lang: i18n.Lang(c.Request.Context())}
}

// leave redirects to the departure page if an authorization was started; what is the title of
// the connection or service to authorize.
func (p *grantPages) leave(c *gin.Context, way grants.Way, d grants.Departure, what string, err error) {
	if cause, is := errors.AsType[*provider.Error](err); is {
		p.flash(c, view.Flash{Key: "flash.not_started", Name: what, Said: cause.Error(), Bad: true})
		back(c, way.ReturnTo)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.setCookie(c, browserCookie, way.Browser, browserCookiePath, browserCookieLife)
	p.sendAway(c, view.Departure{Service: p.serviceRef(d.Service), Connection: what, URL: d.URL, Back: way.ReturnTo, Others: d.Rivals})
}

// callback finishes an authorization when a service redirects the browser back.
func (p *grantPages) callback(c *gin.Context) {
	if isPrefetch(c.Request) { // a prefetch must not consume the state
		c.Header("Cache-Control", "no-store")
		c.Status(http.StatusServiceUnavailable)
		return
	}
	ctx, _ := p.visitor(c)
	finished, err := p.grants.Finish(ctx, c.Param("service"), c.Request.URL.Query(), browsers(c.Request)...)
	if finished != nil && finished.Once {
		p.handOver(c, finished, err)
		return
	}
	if err == nil {
		if finished.ReturnTo == authflow.LinkReturn {
			finished.ReturnTo = ""
		}
		if _, in := p.user(c); in && finished.ReturnTo != "" {
			p.flash(c, view.Flash{Key: authorizedKey(finished), Name: finished.Connection.Title})
			back(c, finished.ReturnTo)
			return
		}
		ref := p.serviceRef(finished.Service)
		p.render(c, http.StatusOK, page.Result(p.shell(c, ""), view.Result{
			Service: &ref, Connection: finished.Connection.Title, Ends: !lasts(finished.Connection), EndsAt: finished.Connection.Tokens.ExpiresAt,
		}))
		return
	}
	failure, ok := errors.AsType[*authflow.Failure](err)
	if !ok {
		p.fail(c, err)
		return
	}
	p.render(c, statusOf(failure), page.Result(p.shell(c, ""), p.resultOf(c, failure)))
}

// lasts reports whether the hub can renew a new grant.
func lasts(conn connection.Connection) bool { return conn.Renewable(time.Now()) }

// authorizedKey returns the flash message of a new grant, by whether the hub can renew it and
// whether all its parts came.
func authorizedKey(finished *authflow.Finished) string {
	conn := finished.Connection
	switch {
	case conn.Policy.AutoRenew == provider.AutoRenewRefreshToken && !lasts(conn):
		return "flash.authorized_ends"
	case len(finished.Missing) > 0:
		return "flash.authorized_missing"
	}
	return "flash.authorized"
}

// resultOf converts a failure into what the result page shows.
func (p *grantPages) resultOf(c *gin.Context, failure *authflow.Failure) view.Result {
	v := view.Result{
		Reason: string(failure.Reason), Reference: failure.Reference, Cause: view.TroubleOf(failure.Cause),
		Wanted: called(failure.Wanted), Got: called(failure.Got), Part: failure.Part,
	}
	if v.Wanted == v.Got { // two accounts of one name
		v.Wanted, v.Got = withID(failure.Wanted), withID(failure.Got)
	}
	if failure.Service != nil {
		ref := p.serviceRef(*failure.Service)
		v.Service = &ref
	}
	v.Back = p.wayBack(c, failure.Authorization)
	if a := failure.Authorization; a != nil {
		if conn, _, err := p.connections.Find(c.Request.Context(), connections.Which{ID: a.ConnectionID}); err == nil {
			v.Connection = conn.Title
		}
	}
	return v
}

// wayBack returns the address at which a failed authorization can be started again: the link
// that was used, or a page of the hub, after a login if that is needed.
func (p *grantPages) wayBack(c *gin.Context, a *authdb.Authorization) string {
	_, in := p.user(c)
	switch {
	case a != nil && a.ReturnTo == authflow.LinkReturn:
		return p.beginning(c)
	case a != nil && a.ReturnTo == frontPage:
		return frontPage
	case a == nil && !in && p.beginning(c) == "" && p.front.anyPublished(c):
		return frontPage
	case a == nil && !in:
		return cmp.Or(p.beginning(c), "/login")
	case a != nil && in:
		return localPath(a.ReturnTo)
	case a != nil:
		return "/login?" + url.Values{"return_to": {localPath(a.ReturnTo)}}.Encode()
	default:
		return "/connections"
	}
}

func called(a provider.Account) string {
	if a.Name != "" {
		return a.Name
	}
	return a.ID
}

// withID names an account so that it cannot be taken for another of the same name.
func withID(a provider.Account) string {
	if a.Name == "" || a.Name == a.ID {
		return a.ID
	}
	return a.Name + " (ID " + a.ID + ")"
}

// statusOf is the HTTP status of a failed callback.
func statusOf(failure *authflow.Failure) int {
	switch failure.Reason {
	case authflow.ReasonUnknownService:
		return http.StatusNotFound
	case authflow.ReasonStillWaiting:
		return http.StatusAccepted
	case authflow.ReasonTransient:
		return http.StatusServiceUnavailable
	case authflow.ReasonInternal, authflow.ReasonOperator:
		return http.StatusBadGateway
	case authflow.ReasonOtherAccount, authflow.ReasonAccountNotAllowed, authflow.ReasonAccountNotTold, authflow.ReasonWouldLoseRenewal, authflow.ReasonAccountUnproven:
		return http.StatusConflict
	default:
		return http.StatusBadRequest
	}
}
