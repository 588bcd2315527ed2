package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// onceForm offers to authorize without keeping anything.
func (p *grantPages) onceForm(c *gin.Context) {
	p.showOnceForm(c, http.StatusOK, view.OnceForm{Service: c.Query("service")})
}

func (p *grantPages) showOnceForm(c *gin.Context, status int, v view.OnceForm) {
	services, err := p.services.Names(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, s := range services {
		v.Services = append(v.Services, view.ServiceRef{Name: s.Name, Title: s.Title})
	}
	p.render(c, status, page.OnceForm(p.shell(c, view.SectionConnections), v))
}

// once starts an authorization without a connection.
func (p *grantPages) once(c *gin.Context) {
	ctx := c.Request.Context()
	name, err := p.serviceEntered(ctx, c.PostForm("service"))
	if err != nil {
		p.fail(c, err)
		return
	}
	way := wayOf(c, "/once?service="+url.QueryEscape(name))
	d, err := p.grants.StartOnce(ctx, name, way)
	if errors.Is(err, store.ErrNotFound) {
		p.showOnceForm(c, http.StatusUnprocessableEntity, view.OnceForm{Service: name, Problems: view.Problems{"service": textNoService}})
		return
	}
	p.leave(c, way, d, d.Service.Title, err)
}

// onceParts are the access codes of the parts of a grant that is not stored.
func onceParts(finished *authflow.Finished, now time.Time) (parts []view.OncePart, err error) {
	for _, part := range finished.Parts {
		document, err := json.MarshalIndent(part.Codes(now, finished.Service.Provider, finished.Service.ClientID, true), "", "  ")
		if err != nil {
			return nil, err
		}
		parts = append(parts, view.OncePart{Name: part.Part, Title: part.Title, JSON: string(document)})
	}
	return parts, nil
}

// handOver shows the only copy of a grant that is not stored, unless the visitor who came back
// may not see it.
func (p *grantPages) handOver(c *gin.Context, finished *authflow.Finished, err error) {
	if errors.Is(err, act.ErrNotAllowed) {
		ref := p.serviceRef(finished.Service)
		p.render(c, http.StatusForbidden, page.Result(p.shell(c, ""), view.Result{Service: &ref, Reason: "unknown_state"}))
		return
	}
	now := time.Now()
	var document []byte
	if err == nil {
		document, err = json.MarshalIndent(finished.Connection.Codes(now, finished.Service.Provider, finished.Service.ClientID, true), "", "  ")
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	further, err := onceParts(finished, now)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Once{
		Further:    further,
		Connection: view.ConnectionOf(finished.Connection, finished.Service, p.iconOf(finished.Service.Provider), p.publicURL, now),
		JSON:       string(document), Fields: view.CodeFieldsOf(document),
	}
	if u, in := p.known(c); !in || !access.May(u.Role, access.ActCodes) {
		v.Again = frontPage
		p.render(c, http.StatusOK, page.OnceFront(p.shell(c, ""), v))
		return
	}
	p.render(c, http.StatusOK, page.Once(p.shell(c, view.SectionConnections), v))
}
