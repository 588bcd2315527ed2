package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// icon serves a provider's picture. It is shown by img elements alone, where
// nothing in it can run; the policy holds should somebody open it by itself.
func (p *Pages) icon(c *gin.Context) {
	d, ok := p.o.Catalogue.Provider(c.Param("name"))
	if !ok || len(d.Icon) == 0 {
		c.Status(http.StatusNotFound)
		return
	}
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	c.Header("Cache-Control", "private, max-age=3600")
	c.Data(http.StatusOK, "image/svg+xml", d.Icon)
}

// iconOf is the address of a provider's picture; "" without one.
func (p *Pages) iconOf(providerName string) string {
	if d, ok := p.o.Catalogue.Provider(providerName); !ok || len(d.Icon) == 0 {
		return ""
	}
	return "/providers/" + providerName + "/icon"
}

func (p *Pages) serviceRef(s service.Service) view.ServiceRef {
	return view.ServiceRefOf(s, p.iconOf(s.Provider))
}

// serviceRefs names every service, by id.
func (p *Pages) serviceRefs(c *gin.Context) (map[string]view.ServiceRef, error) {
	services, err := p.o.Services.List(c.Request.Context())
	if err != nil {
		return nil, err
	}
	refs := make(map[string]view.ServiceRef, len(services))
	for _, s := range services {
		refs[s.ID] = p.serviceRef(s)
	}
	return refs, nil
}

func (p *Pages) services(c *gin.Context) {
	ctx := c.Request.Context()
	services, err := p.o.Services.List(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	counts, err := p.o.Services.Counts(ctx)
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

func (p *Pages) serviceView(c *gin.Context, s service.Service) view.Service {
	lang := i18n.Lang(c.Request.Context())
	v := view.Service{
		ServiceRef: p.serviceRef(s), ClientID: s.ClientID, RedirectURI: p.o.Flow.RedirectURI(s), Scopes: s.Scopes,
		Options: view.OptionValuesOf(s, lang), CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
		Doubts: view.DoubtsOf(s, lang), Held: heldHosts([]service.Service{s}),
	}
	_, served := p.o.Catalogue.Provider(s.Provider)
	v.Unserved = !served
	if s.Description != nil {
		v.Provider = view.ProviderOf(*s.Description, p.iconOf(s.Provider), lang)
		for _, h := range s.Description.Hosts {
			v.Hosts = append(v.Hosts, h.Pattern)
		}
	}
	return v
}

func (p *Pages) gallery(c *gin.Context) {
	lang := i18n.Lang(c.Request.Context())
	var providers []view.Provider
	for _, d := range p.o.Catalogue.Providers() {
		providers = append(providers, view.ProviderOf(d, p.iconOf(d.Name), lang))
	}
	p.render(c, http.StatusOK, page.Gallery(p.shell(c, view.SectionServices), providers))
}

func (p *Pages) service(c *gin.Context) {
	ctx := c.Request.Context()
	s, err := p.o.Services.Find(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	f := grantdb.Filter{ServiceID: s.ID, AfterName: c.Query("after"), Limit: pageSize}
	found, err := p.o.Connections.Page(ctx, f)
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
	counts, err := p.o.Connections.CountByStatus(ctx, grantdb.Filter{ServiceID: s.ID})
	if err == nil {
		v.Trashed, err = p.o.Services.CountTrash(ctx, s.ID)
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	v.Connections = view.CountsByStatus(counts).Total
	published, err := p.o.Services.Published(ctx, s.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	v.PublishedAt, v.PublishedBy = published.At, published.By
	p.render(c, http.StatusOK, page.Service(p.shell(c, view.SectionServices), v))
}

func (p *Pages) addService(c *gin.Context) {
	form, ok := p.newForm(c)
	if !ok {
		return
	}
	readServiceForm(c, &form)
	s, err := p.o.Services.Add(c.Request.Context(), draftOf(c, form))
	if p.refused(c, &form, err) {
		return
	}
	p.flash(c, view.Flash{Key: "flash.service_added", Name: s.Title})
	back(c, "/connections/new?service="+s.Name)
}

func (p *Pages) editService(c *gin.Context) {
	form, _, ok := p.editingForm(c)
	if !ok {
		return
	}
	readServiceForm(c, &form)
	if len(c.PostFormArray(catalogue.ConsentHostsField)) > 0 && mayConsent(c) && !p.needProof(c) {
		return
	}
	s, err := p.o.Services.Edit(c.Request.Context(), c.Param("name"), draftOf(c, form))
	if p.refused(c, &form, err) {
		return
	}
	p.flash(c, view.Flash{Key: "flash.service_saved", Name: s.Title})
	back(c, "/services/"+s.Name)
}

func (p *Pages) deleteService(c *gin.Context) {
	s, err := p.o.Services.Delete(c.Request.Context(), c.Param("name"))
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
