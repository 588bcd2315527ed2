package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// onceForm offers to authorise without keeping anything.
func (p *Pages) onceForm(c *gin.Context) {
	p.showOnceForm(c, http.StatusOK, view.OnceForm{Service: c.Query("service")})
}

func (p *Pages) showOnceForm(c *gin.Context, status int, v view.OnceForm) {
	services, err := p.o.Store.ServiceNames(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, s := range services {
		v.Services = append(v.Services, view.ServiceRef{Name: s.Name, Title: s.Title})
	}
	p.render(c, status, page.OnceForm(p.shell(c, view.SectionConnections), v))
}

// once sends the browser to the service; no connection waits for the grant.
func (p *Pages) once(c *gin.Context) {
	ctx := c.Request.Context()
	name, err := p.serviceEntered(ctx, c.PostForm("service"))
	var s service.Service
	if err == nil {
		s, err = p.o.Store.ServiceByName(ctx, name)
	}
	if errors.Is(err, store.ErrNotFound) {
		p.showOnceForm(c, http.StatusUnprocessableEntity, view.OnceForm{Service: name, Problems: view.Problems{"service": textNoService}})
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.leave(c, s, s.Title, authflow.StartRequest{ServiceID: s.ID, ReturnTo: "/once?service=" + s.Name})
}

// handOver shows the only copy of a grant that is not kept. Who came back has to be
// signed in and allowed to see tokens; else it is dropped.
func (p *Pages) handOver(c *gin.Context, finished *authflow.Finished) {
	u, in := p.known(c)
	atFront := finished.ReturnTo == frontPage
	if atFront {
		_, err := p.published(c, finished.Service.Name)
		if atFront = err == nil; err != nil && !errors.Is(err, store.ErrNotFound) {
			p.fail(c, err)
			return
		}
	}
	if !atFront && (!in || !access.May(u.Role, access.ActCodes)) {
		ref := p.serviceRef(finished.Service)
		p.render(c, http.StatusForbidden, page.Result(p.shell(c, ""), view.Result{Service: &ref, Reason: "unknown_state"}))
		return
	}
	now := time.Now()
	document, err := json.MarshalIndent(finished.Connection.Codes(now, finished.Service.Provider, finished.Service.ClientID, true), "", "  ")
	if err != nil {
		p.fail(c, err)
		return
	}
	p.o.Audit.Record(p.asFront(c), "service.once", audit.Object{Kind: "service", Name: finished.Service.Name})
	v := view.Once{
		Connection: view.ConnectionOf(finished.Connection, finished.Service, p.iconOf(finished.Service.Provider), p.o.PublicURL, now),
		JSON:       string(document), Fields: view.CodeFieldsOf(document),
	}
	if !in || atFront && !access.May(u.Role, access.ActCodes) {
		v.Again = frontPage
		p.render(c, http.StatusOK, page.OnceFront(p.shell(c, ""), v))
		return
	}
	p.render(c, http.StatusOK, page.Once(p.shell(c, view.SectionConnections), v))
}
