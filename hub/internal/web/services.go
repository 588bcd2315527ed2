package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// icon serves a provider's picture. It is shown by img elements alone, where
// nothing in it can run; the policy holds should somebody open it by itself.
func (p *Pages) icon(c *gin.Context) {
	d, ok := p.o.Catalogue.Provider(c.Param("name"))
	if !ok || len(d.Icon) == 0 {
		p.NotFound(c)
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
	services, err := p.o.Store.Services(c.Request.Context())
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
	services, err := p.o.Store.Services(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	counts, err := p.o.Store.CountByService(ctx)
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
	p.render(c, http.StatusOK, page.Services(p.shell(c, view.SectionServices), views))
}

func (p *Pages) serviceView(c *gin.Context, s service.Service) view.Service {
	lang := i18n.Lang(c.Request.Context())
	v := view.Service{
		ServiceRef: p.serviceRef(s), ClientID: s.ClientID, RedirectURI: p.o.Flow.RedirectURI(s), Scopes: s.Scopes,
		Options: view.OptionValuesOf(s, lang), CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
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
	s, err := p.o.Store.ServiceByName(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	connections, err := p.o.Store.Connections(ctx, store.Filter{ServiceID: s.ID, Limit: 200})
	if err != nil {
		p.fail(c, err)
		return
	}
	v := p.serviceView(c, s)
	for _, conn := range connections {
		v.Rows = append(v.Rows, view.ConnectionRowOf(conn, v.ServiceRef, time.Now()))
	}
	v.Connections = len(v.Rows)
	p.render(c, http.StatusOK, page.Service(p.shell(c, view.SectionServices), v))
}

// newForm is the empty form of a provider.
func (p *Pages) newForm(c *gin.Context) (view.ServiceForm, bool) {
	d, ok := p.o.Catalogue.Provider(c.Param("provider"))
	if !ok {
		p.NotFound(c)
		return view.ServiceForm{}, false
	}
	return view.ServiceForm{
		Provider: view.ProviderOf(d, p.iconOf(d.Name), i18n.Lang(c.Request.Context())), Name: d.Name,
		Scopes: view.DefaultScopes(d), Options: view.DefaultOptions(d), CallbackBase: p.o.PublicURL + "/callback/",
	}, true
}

func (p *Pages) serviceForm(c *gin.Context) {
	form, ok := p.newForm(c)
	if !ok {
		return
	}
	if _, err := p.o.Store.ServiceByName(c.Request.Context(), form.Name); err == nil {
		form.Name += "-2"
	}
	p.showServiceForm(c, http.StatusOK, form)
}

func (p *Pages) showServiceForm(c *gin.Context, status int, form view.ServiceForm) {
	p.render(c, status, page.ServiceForm(p.shell(c, view.SectionServices), form))
}

func (p *Pages) addService(c *gin.Context) {
	form, ok := p.newForm(c)
	if !ok {
		return
	}
	readServiceForm(c, &form)
	s, err := p.o.Catalogue.AddService(c.Request.Context(), draftOf(c, form))
	if p.refused(c, &form, err) {
		return
	}
	p.flash(c, view.Flash{Key: "flash.service_added", Name: s.Title})
	back(c, "/connections/new?service="+s.Name)
}

// editingForm is the form of a stored service, without its secrets.
func (p *Pages) editingForm(c *gin.Context) (view.ServiceForm, service.Service, bool) {
	ctx := c.Request.Context()
	s, err := p.o.Store.ServiceByName(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return view.ServiceForm{}, s, false
	}
	d := *s.Description
	if own, ok := p.o.Catalogue.Provider(s.Provider); ok {
		d = own
	}
	counts, err := p.o.Store.CountByService(ctx)
	if err != nil {
		p.fail(c, err)
		return view.ServiceForm{}, s, false
	}
	form := view.ServiceForm{
		Provider: view.ProviderOf(d, p.iconOf(s.Provider), i18n.Lang(ctx)), Editing: s.Name, Name: s.Name, Title: s.Title,
		ClientID: s.ClientID, RedirectURI: s.RedirectURI, Scopes: s.Scopes, Options: map[string]string{}, PrivateHosts: strings.Join(s.PrivateHosts, ", "),
		CallbackBase: p.o.PublicURL + "/callback/", Connections: counts[s.ID],
	}
	if s.ClientSecret != "" {
		form.Kept = append(form.Kept, "client_secret")
	}
	for _, o := range d.Options.Options {
		v, there := s.Options[o.Name]
		switch {
		case there && o.Secret:
			form.Kept = append(form.Kept, o.Name)
		case there:
			form.Options[o.Name] = view.OptionText(v)
		}
	}
	return form, s, true
}

func (p *Pages) editForm(c *gin.Context) {
	if form, _, ok := p.editingForm(c); ok {
		p.showServiceForm(c, http.StatusOK, form)
	}
}

func (p *Pages) editService(c *gin.Context) {
	form, s, ok := p.editingForm(c)
	if !ok {
		return
	}
	readServiceForm(c, &form)
	s, err := p.o.Catalogue.EditService(c.Request.Context(), s.ID, draftOf(c, form))
	if p.refused(c, &form, err) {
		return
	}
	p.flash(c, view.Flash{Key: "flash.service_saved", Name: s.Title})
	back(c, "/services/"+s.Name)
}

func (p *Pages) deleteService(c *gin.Context) {
	ctx := c.Request.Context()
	s, err := p.o.Store.ServiceByName(ctx, c.Param("name"))
	if err == nil {
		err = p.o.Catalogue.RemoveService(ctx, s.ID)
	}
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

// readServiceForm takes what was entered. Secrets stay out of the form: they
// are not shown again.
func readServiceForm(c *gin.Context, form *view.ServiceForm) {
	form.Name, form.Title = strings.TrimSpace(c.PostForm("name")), strings.TrimSpace(c.PostForm("title"))
	form.ClientID, form.RedirectURI = strings.TrimSpace(c.PostForm("client_id")), strings.TrimSpace(c.PostForm("redirect_uri"))
	form.PrivateHosts = strings.TrimSpace(c.PostForm("private_hosts"))
	form.Scopes = append(c.PostFormArray("scopes"), strings.Fields(c.PostForm("more_scopes"))...)
	form.Scopes = slices.DeleteFunc(form.Scopes, func(s string) bool { return strings.TrimSpace(s) == "" })
	for _, o := range form.Provider.Options.Options {
		if !o.Secret {
			form.Options[o.Name] = c.PostForm("options." + o.Name)
		}
	}
}

// draftOf is what was entered with its secrets.
func draftOf(c *gin.Context, form view.ServiceForm) catalogue.ServiceDraft {
	draft := catalogue.ServiceDraft{
		Name: form.Name, Title: form.Title, Provider: form.Provider.Name, ClientID: form.ClientID,
		ClientSecret: c.PostForm("client_secret"), Scopes: form.Scopes, RedirectURI: form.RedirectURI, Options: map[string]any{},
		PrivateHosts:  strings.FieldsFunc(form.PrivateHosts, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }),
		ApprovedHosts: c.PostFormArray("approved_hosts"),
	}
	for _, o := range form.Provider.Options.Options {
		value := c.PostForm("options." + o.Name)
		if o.Type == provider.OptionBoolean {
			draft.Options[o.Name] = value != "" && value != "false"
			continue
		}
		draft.Options[o.Name] = value
	}
	return draft
}

// refused shows a form again with what is wrong; false if nothing is.
func (p *Pages) refused(c *gin.Context, form *view.ServiceForm, err error) bool {
	if err == nil {
		return false
	}
	form.Problems = problemsOf(err)
	if invalid, ok := errors.AsType[*catalogue.InvalidError](err); ok {
		form.ApproveHosts = invalid.Hosts
	}
	if cause, ok := errors.AsType[*provider.Error](err); ok {
		form.Refused = view.TroubleOf(cause)
	} else if form.Problems == nil {
		p.fail(c, err)
		return true
	}
	p.showServiceForm(c, http.StatusUnprocessableEntity, *form)
	return true
}

// problemsOf are the problems of an *catalogue.InvalidError by field.
func problemsOf(err error) map[string]provider.Text {
	invalid, ok := errors.AsType[*catalogue.InvalidError](err)
	if !ok {
		return nil
	}
	problems := make(map[string]provider.Text, len(invalid.Problems))
	for _, problem := range invalid.Problems {
		problems[problem.Field] = problem.Message
	}
	return problems
}
