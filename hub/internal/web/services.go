package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// servicePages add, check, edit and delete services.
type servicePages struct {
	*kit
	*directory
	services    *services.Services
	catalogue   *catalogue.Catalogue
	connections *connections.Connections
}

func newServicePages(k *kit, d *directory, o Options) *servicePages {
	return &servicePages{kit: k, directory: d, services: o.Services, catalogue: o.Catalogue, connections: o.Connections}
}

func (p *servicePages) routes(in inside) {
	see, manage := in.may(access.ActSee), in.may(access.ActManage)
	see.GET("/services", p.list)
	see.GET("/services/:name", p.service)
	manage.GET("/services/new", p.gallery)
	manage.GET("/services/new/:provider", p.serviceForm)
	manage.POST("/services/new/:provider", p.addService)
	manage.POST("/services/new/:provider/check", p.checkNew)
	manage.POST("/services/:name/check", p.checkEdited)
	manage.GET("/services/:name/edit", p.editForm)
	manage.POST("/services/:name/edit", p.editService)
	manage.POST("/services/:name/delete", p.deleteService)
	manage.POST("/services/:name/doubts", p.settleDoubts)
	p.keyRoutes(in)
	in.may(access.ActConsent).POST("/services/consent-hosts", p.proven, p.consentHosts)
}

func (p *servicePages) list(c *gin.Context) {
	ctx := c.Request.Context()
	services, err := p.services.List(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	counts, err := p.services.Counts(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	views := make([]view.Service, 0, len(services))
	for _, s := range services {
		v := p.serviceView(c, s)
		v.Connections = counts[s.ID]
		views = append(views, v)
	}
	p.render(c, http.StatusOK, page.Services(p.shell(c, view.SectionServices), views, heldHosts(services)))
}

func (p *servicePages) gallery(c *gin.Context) {
	lang := i18n.Lang(c.Request.Context())
	var providers []view.Provider
	for _, d := range p.catalogue.Providers() {
		providers = append(providers, view.ProviderOf(d, p.iconOf(d.Name), lang))
	}
	p.render(c, http.StatusOK, page.Gallery(p.shell(c, view.SectionServices), providers))
}

func (p *servicePages) service(c *gin.Context) {
	ctx := c.Request.Context()
	s, err := p.services.Find(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	f := grantdb.Filter{ServiceID: s.ID, AfterName: c.Query("after"), Limit: pageSize}
	found, err := p.connections.Page(ctx, f)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := p.serviceView(c, s)
	for _, conn := range found.Connections {
		v.Rows = append(v.Rows, view.ConnectionRowOf(conn, v.ServiceRef, time.Now()))
	}
	if found.More {
		v.Next = "/services/" + url.PathEscape(s.Name) + "?" + url.Values{"after": {found.NextName}}.Encode()
	}
	v.First = f.AfterName == ""
	counts, err := p.connections.CountByStatus(ctx, grantdb.Filter{ServiceID: s.ID})
	if err == nil {
		v.Trashed, err = p.services.CountTrash(ctx, s.ID)
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	v.Connections = view.CountsByStatus(counts).Total
	published, err := p.services.Published(ctx, s.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	v.PublishedAt, v.PublishedBy = published.At, published.By
	p.render(c, http.StatusOK, page.Service(p.shell(c, view.SectionServices), v))
}

func (p *servicePages) addService(c *gin.Context) {
	form, ok := p.newForm(c)
	if !ok {
		return
	}
	readServiceForm(c, &form)
	draft, err := draftOf(c, form)
	if p.refused(c, &form, err) {
		return
	}
	s, err := p.services.Add(c.Request.Context(), draft)
	if p.refused(c, &form, err) {
		return
	}
	p.flash(c, view.Flash{Key: "flash.service_added", Name: s.Title})
	back(c, "/connections/new?service="+s.Name)
}

func (p *servicePages) editService(c *gin.Context) {
	form, _, ok := p.editingForm(c)
	if !ok {
		return
	}
	readServiceForm(c, &form)
	if len(c.PostFormArray(catalogue.ConsentHostsField)) > 0 && mayConsent(c) && !p.needProof(c) {
		return
	}
	draft, err := draftOf(c, form)
	if p.refused(c, &form, err) {
		return
	}
	s, err := p.services.Edit(c.Request.Context(), c.Param("name"), draft)
	if p.refused(c, &form, err) {
		return
	}
	p.flash(c, view.Flash{Key: "flash.service_saved", Name: s.Title})
	back(c, "/services/"+s.Name)
}

func (p *servicePages) deleteService(c *gin.Context) {
	s, err := p.services.Delete(c.Request.Context(), c.Param("name"))
	switch {
	case errors.Is(err, store.ErrInUse):
		p.flash(c, view.Flash{Key: "flash.service_in_use", Name: s.Title, Bad: true})
		back(c, "/services/"+s.Name)
	case err != nil:
		p.fail(c, err)
	default:
		p.flash(c, view.Flash{Key: "flash.service_deleted", Name: s.Title})
		back(c, "/services")
	}
}
