package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// onceForm offers to authorise without keeping anything.
func (p *Pages) onceForm(c *gin.Context) {
	services, err := p.o.Store.Services(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.OnceForm{Service: c.Query("service")}
	for _, s := range services {
		v.Services = append(v.Services, p.serviceRef(s))
	}
	p.render(c, http.StatusOK, page.OnceForm(p.shell(c, view.SectionConnections), v))
}

// once sends the browser to the service; no connection waits for the grant.
func (p *Pages) once(c *gin.Context) {
	s, err := p.o.Store.ServiceByName(c.Request.Context(), c.PostForm("service"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.leave(c, s, s.Title, authflow.StartRequest{ServiceID: s.ID, ReturnTo: "/once?service=" + s.Name})
}

// handOver shows the only copy of a grant that is not kept. Who came back has to be
// signed in and allowed to see tokens; else it is dropped.
func (p *Pages) handOver(c *gin.Context, finished *authflow.Finished) {
	u, in := p.user(c)
	if !in || !access.May(u.Role, access.ActCodes) {
		ref := p.serviceRef(finished.Service)
		p.render(c, http.StatusForbidden, page.Result(p.shell(c, ""), view.Result{Service: &ref, Reason: "unknown_state"}))
		return
	}
	now := time.Now()
	document, err := json.MarshalIndent(finished.Connection.Codes(now, finished.Service.Provider, finished.Service.ClientID, true), "", "  ") //nolint:gosec // G117: the codes are what was asked for
	if err != nil {
		p.fail(c, err)
		return
	}
	ctx := audit.With(c.Request.Context(), audit.Actor{Kind: audit.KindPerson, Name: u.Login, Address: c.ClientIP()})
	p.o.Audit.Record(ctx, "service.once", audit.Object{Kind: "service", Name: finished.Service.Name})
	c.Request = c.Request.WithContext(view.WithRole(ctx, u.Role))
	v := view.ConnectionOf(finished.Connection, finished.Service, p.iconOf(finished.Service.Provider), p.o.PublicURL, now)
	p.render(c, http.StatusOK, page.Once(p.shell(c, view.SectionConnections), view.Once{Connection: v, JSON: string(document)}))
}
