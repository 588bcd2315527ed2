package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// frontDoor serves people without an account: the published services, and the request for a
// service that is missing.
type frontDoor struct {
	*kit
	*directory
	services *services.Services
	grants   *grants.Grants
}

func newFrontDoor(k *kit, d *directory, o Options) *frontDoor {
	return &frontDoor{kit: k, directory: d, services: o.Services, grants: o.Grants}
}

func (f *frontDoor) open(in *gin.RouterGroup) {
	in.GET(frontPage, f.front)
	in.POST(frontPage+"/:service", f.takeCodes)
	in.GET(askPage, f.askForm)
	in.POST(askPage, f.ask)
	in.GET("/grant/:token"+askPage, f.askForm)
	in.POST("/grant/:token"+askPage, f.ask)
}

// frontPage is where people without an account take access codes of the services that an
// owner has published.
const frontPage = grants.FrontPage

// codesLimit bounds how often people without an account begin an authorization.
var codesLimit = servicedb.FrontLimit{PerAddress: view.FrontEach, InTotal: view.FrontAll, Within: time.Hour}

// front shows the published services. Without any it redirects to the login.
func (f *frontDoor) front(c *gin.Context) { f.showFront(c, http.StatusOK, view.FrontDoor{}) }

// frontInstead shows the front page to a stranger who comes to the hub's own address, if
// there is anything on it.
func (f *frontDoor) frontInstead(c *gin.Context) (shown bool) {
	if c.Request.Method != http.MethodGet || c.Request.URL.Path != "/" || c.GetHeader("HX-Request") != "" || !f.anyPublished(c) {
		return false
	}
	f.front(c)
	return true
}

// anyPublished reports whether any service is published.
func (f *frontDoor) anyPublished(c *gin.Context) bool {
	there, err := f.services.AnyPublished(c.Request.Context())
	if err != nil {
		f.logger.Warn("list published services failed", "error", err)
	}
	return there && err == nil
}

func (f *frontDoor) showFront(c *gin.Context, status int, v view.FrontDoor) {
	published, err := f.services.AtFront(c.Request.Context())
	if err != nil {
		f.fail(c, err)
		return
	}
	if len(published) == 0 {
		back(c, "/login")
		return
	}
	v.Query, v.Searched = cut(strings.TrimSpace(c.Query("q")), mostQuery), len(published) > frontUnsearched
	for _, s := range published {
		if answersTo(s, v.Query) {
			v.Services = append(v.Services, f.serviceView(c, s))
		}
	}
	_, v.SignedIn = f.user(c)
	f.render(c, status, page.FrontDoor(f.shell(c, ""), v))
}

// frontUnsearched is how many services the front page lists without offering a search.
const frontUnsearched = 8

// mostQuery bounds what the front page is searched for, in bytes: the form's 100 characters
// in any script.
const mostQuery = 400

// answersTo reports whether a service's title, name or provider has the words in it.
func answersTo(s service.Service, words string) bool {
	said := strings.ToLower(s.Title + " " + s.Name + " " + s.Provider)
	for word := range strings.FieldsSeq(strings.ToLower(words)) {
		if !strings.Contains(said, word) {
			return false
		}
	}
	return true
}

// takeCodes begins the authorization of a visitor without an account.
func (f *frontDoor) takeCodes(c *gin.Context) {
	ctx, _ := f.visitor(c)
	way := wayOf(c, frontPage)
	d, err := f.grants.StartAtFront(ctx, c.Param("service"), addressOf(c), codesLimit, way)
	if errors.Is(err, store.ErrNotFound) {
		f.showFront(c, http.StatusNotFound, view.FrontDoor{Withdrawn: true})
		return
	}
	if errors.Is(err, servicedb.ErrTooOften) {
		f.tooOften(c)
		f.showFront(c, http.StatusTooManyRequests, view.FrontDoor{TooOften: true})
		return
	}
	if cause, is := errors.AsType[*provider.Error](err); is {
		ref := f.serviceRef(d.Service)
		f.showFront(c, http.StatusBadGateway, view.FrontDoor{Trouble: view.TroubleOf(cause), Of: &ref})
		return
	}
	if err != nil {
		f.fail(c, err)
		return
	}
	f.setCookie(c, browserCookie, way.Browser, browserCookiePath, browserCookieLife)
	f.sendAway(c, view.Departure{Service: f.serviceRef(d.Service), URL: d.URL, Back: frontPage})
}

// tooOften sets the Retry-After header and logs that a rate limit was exceeded.
func (f *frontDoor) tooOften(c *gin.Context) {
	c.Header("Retry-After", strconv.Itoa(int(codesLimit.Within.Seconds())))
	f.logger.Warn("front page rate limit exceeded", "address", c.ClientIP(), "route", c.FullPath())
}

// addressOf is the address by which uses of the front page are counted.
func addressOf(c *gin.Context) string {
	if c.ClientIP() == "" {
		return access.Network(c.Request.RemoteAddr)
	}
	return access.Network(c.ClientIP())
}
