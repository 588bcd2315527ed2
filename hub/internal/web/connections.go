package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// connectionPages show connections and act on one: its grant, owner, tags and access codes.
type connectionPages struct {
	*kit
	*directory
	connections   *connections.Connections
	services      *services.Services
	notifications *notifications.Notifications
	grants        *grants.Grants
	granting      *grantPages
}

func newConnectionPages(k *kit, d *directory, granting *grantPages, o Options) *connectionPages {
	return &connectionPages{
		kit: k, directory: d, connections: o.Connections, services: o.Services, notifications: o.Notifications, grants: o.Grants, granting: granting,
	}
}

func (p *connectionPages) routes(in inside) {
	see, operate, manage, codes := in.may(access.ActSee), in.may(access.ActOperate), in.may(access.ActManage), in.may(access.ActCodes)
	see.GET("/connections", p.list)
	see.GET("/connections.csv", p.connectionsCSV)
	see.GET("/connections/:name", p.connection)
	operate.POST("/connections/:name/paste", p.paste)
	operate.POST("/connections/:name/renew", p.renew)
	operate.POST("/connections/:name/rehearse", p.rehearse)
	operate.POST("/connections/:name/test-call", p.testCall)
	operate.POST("/connections/:name/pause", p.pause)
	operate.POST("/connections/:name/resume", p.resume)
	operate.POST("/connections/:name/tags", p.setTags)
	manage.GET("/connections/new", p.connectionForm)
	manage.POST("/connections/new", p.addConnection)
	manage.POST("/connections/:name/revoke", p.revoke)
	manage.POST("/connections/:name/restore", p.restore)
	manage.POST("/connections/:name/offer/take", p.takeOffer)
	operate.POST("/connections/:name/scopes/decline", p.declineScopes)
	manage.POST("/connections/:name/offer/drop", p.dropOffer)
	manage.POST("/connections/:name/owner", p.setOwner)
	manage.POST("/connections/:name/accounts", p.setAccounts)
	operate.GET("/connections/:name/enter", p.grantForm)
	operate.POST("/connections/:name/enter", p.enterGrant)
	operate.POST("/connections/:name/obtain", p.obtain)
	manage.GET("/connections/:name/options", p.optionsForm)
	manage.POST("/connections/:name/options", p.setOptions)
	codes.GET("/connections/:name/codes", p.codes)
	codes.POST("/connections/:name/codes", p.askCodes)
	codes.POST("/connections/:name/codes.json", p.codesFile)
}

// timelineLength is how much of a connection's past its page shows.
const timelineLength = 30

func (p *connectionPages) setTags(c *gin.Context) {
	conn, err := p.connections.SetTags(c.Request.Context(), which(c), tagsOf(c.PostForm("tags")))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.tagged", Name: conn.Title})
	back(c, "/connections/"+url.PathEscape(conn.Name))
}

// setAccounts states which accounts may authorize a connection.
func (p *connectionPages) setAccounts(c *gin.Context) {
	conn, err := p.connections.SetAllowedAccounts(c.Request.Context(), which(c), linesOf(c.PostForm("accounts")))
	if problems := problemsOf(err); problems != nil {
		p.showConnectionWith(c, http.StatusUnprocessableEntity, func(v *view.Connection) {
			v.Accounts, v.AccountProblems = linesOf(c.PostForm("accounts")), problems
		})
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.accounts_saved", Name: conn.Title})
	back(c, "/connections/"+url.PathEscape(conn.Name))
}

// tagsOf reads tags that are separated by commas or spaces: lower case, at most 40
// characters each, at most 20.
func tagsOf(text string) []string {
	tags := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	tags = slices.DeleteFunc(tags, func(tag string) bool { return utf8.RuneCountInString(tag) > 40 })
	return tags[:min(len(tags), 20)]
}

func (p *connectionPages) connectionForm(c *gin.Context) {
	form := view.ConnectionForm{Service: c.Query("service"), Name: c.Query("name"), Title: c.Query("title")}
	if err := p.askFor(c, &form); err != nil {
		p.fail(c, err)
		return
	}
	p.showConnectionForm(c, http.StatusOK, form)
}

func (p *connectionPages) showConnectionForm(c *gin.Context, status int, form view.ConnectionForm) {
	services, err := p.services.Names(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, s := range services {
		form.Services = append(form.Services, view.ServiceRef{Name: s.Name, Title: s.Title})
		if form.Service == "" && len(services) == 1 {
			form.Service = s.Name
		}
	}
	p.render(c, status, page.NewConnection(p.shell(c, view.SectionConnections), form))
}

func (p *connectionPages) connection(c *gin.Context) {
	made, isMade := toShow[madeLink](p.kit, c, shownLink)
	tested, isTested := toShow[testCalled](p.kit, c, shownCall)
	tried, isTried := toShow[rehearsed](p.kit, c, shownRehearsal)
	failed, isFailed := toShow[notObtained](p.kit, c, shownObtain)
	p.showConnectionWith(c, http.StatusOK, func(v *view.Connection) {
		if isMade && made.Connection == v.Name && c.GetHeader("HX-Request") == "" {
			v.Link, v.LinkUntil = made.Link, made.Until
			p.forgetShown(c, shownLink)
		}
		if isTested && tested.Connection == v.Name && !inPart(c) {
			v.TestAnswer = &tested.TestAnswer
			p.forgetShown(c, shownCall)
		}
		if isTried && tried.Connection == v.Name && !inPart(c) {
			v.Rehearsal = &tried.Rehearsal
			p.forgetShown(c, shownRehearsal)
		}
		if isFailed && failed.Connection == v.Name && !inPart(c) {
			v.Paste = &failed.Result
			p.forgetShown(c, shownObtain)
		}
	})
}

// showConnection shows a connection; paste is the result of a pasted address.
func (p *connectionPages) showConnection(c *gin.Context, status int, paste *view.Result) {
	p.showConnectionWith(c, status, func(v *view.Connection) { v.Paste = paste })
}

// worthTelling is how long a renewal may take before the page shows it.
const worthTelling = 5 * time.Second

// underWay adds a renewal that is in progress to the view.
func underWay(v *view.Connection, intent *renewaldb.Intent) {
	now := time.Now()
	if intent != nil && intent.StartedAt.Before(now.Add(-worthTelling)) && intent.Deadline.After(now) {
		v.RenewingSince, v.RenewingUntil = intent.StartedAt, intent.Deadline
	}
}

// showConnectionWith is showConnection with a function that changes the view.
func (p *connectionPages) showConnectionWith(c *gin.Context, status int, with func(*view.Connection)) {
	conn, s, ok := p.find(c)
	if !ok {
		return
	}
	v := view.ConnectionOf(conn, s, p.iconOf(s.Provider), p.publicURL, time.Now())
	past, err := p.connections.Past(c.Request.Context(), conn, timelineLength)
	if err != nil {
		p.fail(c, err)
		return
	}
	details, err := p.connections.Details(c.Request.Context(), conn.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	v.Restorable = slices.ContainsFunc(past.Sets, func(x grantdb.PastTokenSet) bool { return conn.MayRestore(time.Now(), x.PastSet) == nil })
	v.Offered, v.Tags = offered(details.Offer), details.Tags
	v.Accounts = details.Accounts
	if v.Parts, err = p.parts(c.Request.Context(), conn, s); err != nil {
		p.fail(c, err)
		return
	}
	v.Timeline = view.TimelineOf(conn, past.Sets, past.Records, timelineLength)
	underWay(&v, details.Renewal)
	with(&v)
	if u, _ := person(c); access.May(u.Role, access.ActManage) {
		if err := p.ownership(c.Request.Context(), &v, conn.ID); err != nil {
			p.fail(c, err)
			return
		}
	}
	p.render(c, status, page.Connection(p.shell(c, view.SectionConnections), v))
}

// find reads the connection in the path with its service.
func (p *connectionPages) find(c *gin.Context) (connection.Connection, service.Service, bool) {
	conn, s, err := p.connections.Find(c.Request.Context(), which(c))
	if err != nil {
		p.fail(c, err)
	}
	return conn, s, err == nil
}
