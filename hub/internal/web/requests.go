package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// requestPages decide what people without an account are offered: they publish services and
// answer requests for others.
type requestPages struct {
	*kit
	services *services.Services
}

func newRequestPages(k *kit, o Options) *requestPages {
	return &requestPages{kit: k, services: o.Services}
}

func (p *requestPages) routes(in inside) {
	manage, publishing := in.may(access.ActManage), in.may(access.ActPublish)
	manage.GET("/requests", p.requests)
	manage.POST("/requests/:id", p.decideRequest)
	publishing.POST("/services/:name/publish", p.publish)
	publishing.POST("/services/:name/unpublish", p.unpublish)
}

// requestsShown is how many requests a page lists.
const requestsShown = 50

// requests lists the requests for services.
func (p *requestPages) requests(c *gin.Context) {
	skip, _ := strconv.Atoi(c.Query("skip")) // none is the first page
	skip = max(0, skip)
	found, open, err := p.services.Requests(c.Request.Context(), skip, requestsShown+1)
	v := view.Requests{Open: open}
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, r := range found[:min(len(found), requestsShown)] {
		v.Rows = append(v.Rows, view.Request{
			ID: r.ID, Service: r.Service, Purpose: r.Purpose, Contact: r.Contact, Source: r.Source, AskedBy: r.AskedBy, Address: r.Address,
			State: r.State, DecidedBy: r.DecidedBy, CreatedAt: r.CreatedAt, DecidedAt: r.DecidedAt,
		})
	}
	if skip > 0 {
		v.Prev = "/requests?skip=" + strconv.Itoa(max(0, skip-requestsShown))
	}
	if len(found) > requestsShown {
		v.Next = "/requests?skip=" + strconv.Itoa(skip+requestsShown)
	}
	v.AskURL = p.publicURL + askPage
	p.render(c, http.StatusOK, page.Requests(p.shell(c, view.SectionServices), v))
}

// decideRequest stores the decision about a request. One that was decided meanwhile is not
// changed.
func (p *requestPages) decideRequest(c *gin.Context) {
	decide, flash := p.services.Done, "flash.request_done"
	if c.PostForm("state") == noticedb.RequestDeclined {
		decide, flash = p.services.Decline, "flash.request_declined"
	}
	r, err := decide(c.Request.Context(), c.Param("id"))
	if errors.Is(err, store.ErrNotFound) {
		p.flash(c, view.Flash{Key: "flash.request_decided", Bad: true})
		back(c, "/requests")
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: flash, Name: r.Service})
	back(c, "/requests")
}

// publish lets people without an account take access codes of a service.
func (p *requestPages) publish(c *gin.Context) {
	p.setPublished(c, "flash.published", p.services.Publish)
}

// unpublish takes a service off the front page.
func (p *requestPages) unpublish(c *gin.Context) {
	p.setPublished(c, "flash.unpublished", p.services.Unpublish)
}

func (p *requestPages) setPublished(c *gin.Context, flash string, do func(ctx context.Context, name string) (service.Service, error)) {
	s, err := do(c.Request.Context(), c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: flash, Name: s.Title})
	back(c, "/services/"+url.PathEscape(s.Name)+"#published")
}
