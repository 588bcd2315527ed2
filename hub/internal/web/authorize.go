package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/web/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// browserCookie binds an authorization to the browser that started it; the API
// names it too. It goes to callbacks alone.
const (
	browserCookie     = "evergrant_browser"
	browserCookiePath = "/callback/"
	browserCookieLife = time.Hour
	browserSecretSize = 43
)

// find reads the connection in the path with its service.
func (p *Pages) find(c *gin.Context) (connection.Connection, service.Service, bool) {
	ctx := c.Request.Context()
	conn, err := p.o.Store.ConnectionByName(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return conn, service.Service{}, false
	}
	s, err := p.o.Store.Service(ctx, conn.ServiceID)
	if err != nil {
		p.fail(c, err)
		return conn, s, false
	}
	return conn, s, true
}

// authorize starts an authorization and shows where the browser goes next.
func (p *Pages) authorize(c *gin.Context) {
	if conn, s, ok := p.find(c); ok {
		p.depart(c, conn, s)
	}
}

// depart starts an authorization of a connection.
func (p *Pages) depart(c *gin.Context, conn connection.Connection, s service.Service) {
	p.leave(c, s, conn.Title, authflow.StartRequest{ConnectionID: conn.ID, ReturnTo: "/connections/" + url.PathEscape(conn.Name)})
}

// leave starts an authorization and sends the browser on its way; what is the title
// of what will be authorised.
func (p *Pages) leave(c *gin.Context, s service.Service, what string, req authflow.StartRequest) {
	u, _ := person(c)
	browser := authflow.NewBrowser()
	req.UserID, req.Browser, req.Lang = u.ID, browser, i18n.Lang(c.Request.Context())
	started, err := p.o.Flow.Start(c.Request.Context(), req)
	if cause, is := errors.AsType[*provider.Error](err); is {
		p.flash(c, view.Flash{Key: "flash.not_started", Name: what, Said: cause.Error(), Bad: true})
		back(c, req.ReturnTo)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	target, err := url.Parse(started.URL)
	if err != nil {
		p.fail(c, err)
		return
	}
	p.setCookie(c, browserCookie, browser, browserCookiePath, browserCookieLife)
	c.Header("Refresh", "0;url="+started.URL) // the page goes on by itself; its button is for browsers that do not
	p.render(c, http.StatusOK, page.Departure(p.shell(c, view.SectionConnections), view.Departure{
		Service: p.serviceRef(s), Connection: what, URL: started.URL, Host: target.Host, Back: req.ReturnTo,
	}))
}

// callback is where services send the browser back to.
func (p *Pages) callback(c *gin.Context) {
	browser, _ := c.Cookie(browserCookie)
	if len(browser) != browserSecretSize {
		browser = ""
	}
	finished, err := p.o.Flow.Finish(c.Request.Context(), c.Param("service"), c.Request.URL.Query(), browser)
	if err == nil && finished.Once {
		p.handOver(c, finished)
		return
	}
	if err == nil {
		if finished.ReturnTo == authflow.LinkReturn {
			finished.ReturnTo = ""
		}
		if _, in := p.user(c); in && finished.ReturnTo != "" {
			p.flash(c, view.Flash{Key: "flash.authorised", Name: finished.Connection.Title})
			back(c, localPath(finished.ReturnTo))
			return
		}
		ref := p.serviceRef(finished.Service)
		p.render(c, http.StatusOK, page.Result(p.shell(c, ""), view.Result{Service: &ref, Connection: finished.Connection.Title}))
		return
	}
	failure, ok := errors.AsType[*authflow.Failure](err)
	if !ok {
		p.fail(c, err)
		return
	}
	p.render(c, statusOf(failure), page.Result(p.shell(c, ""), p.resultOf(c, failure)))
}

// resultOf tells a failure in the words of pages.
func (p *Pages) resultOf(c *gin.Context, failure *authflow.Failure) view.Result {
	v := view.Result{
		Reason: string(failure.Reason), Reference: failure.Reference, Cause: view.TroubleOf(failure.Cause),
		Wanted: called(failure.Wanted), Got: called(failure.Got),
	}
	if failure.Service != nil {
		ref := p.serviceRef(*failure.Service)
		v.Service = &ref
	}
	if a := failure.Authorization; a != nil {
		if conn, err := p.o.Store.Connection(c.Request.Context(), a.ConnectionID); err == nil {
			v.Connection = conn.Title
		}
		if _, in := p.user(c); in && a.ReturnTo != authflow.LinkReturn {
			v.Back = localPath(a.ReturnTo)
		}
	}
	return v
}

func called(a provider.Account) string {
	if a.Name != "" {
		return a.Name
	}
	return a.ID
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
	case authflow.ReasonOtherAccount:
		return http.StatusConflict
	default:
		return http.StatusBadRequest
	}
}

// paste finishes an authorization with what a person landed on.
func (p *Pages) paste(c *gin.Context) {
	conn, _, ok := p.find(c)
	if !ok {
		return
	}
	u, _ := person(c)
	_, err := p.o.Flow.FinishPasted(c.Request.Context(), conn.ID, u.ID, c.PostForm("pasted"))
	if failure, is := errors.AsType[*authflow.Failure](err); is {
		result := p.resultOf(c, failure)
		p.showConnection(c, http.StatusUnprocessableEntity, &result)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.authorised", Name: conn.Title})
	back(c, "/connections/"+url.PathEscape(conn.Name))
}
