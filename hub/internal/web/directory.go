package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// directory finds services by id or by what was entered, and describes them with the icon of
// their provider. Areas that show services embed it.
type directory struct {
	services  *services.Services
	catalogue *catalogue.Catalogue
	flow      *authflow.Flow
}

func newDirectory(o Options) *directory {
	return &directory{services: o.Services, catalogue: o.Catalogue, flow: o.Flow}
}

// icon serves a provider's picture. It is shown by img elements alone, where
// nothing in it can run; the Content-Security-Policy covers the case that it is opened by itself.
func (dir *directory) icon(c *gin.Context) {
	d, ok := dir.catalogue.Provider(c.Param("name"))
	if !ok || len(d.Icon) == 0 {
		c.Status(http.StatusNotFound)
		return
	}
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	c.Header("Cache-Control", "private, max-age=3600")
	c.Data(http.StatusOK, "image/svg+xml", d.Icon)
}

// iconOf is the address of a provider's picture; "" without one.
func (dir *directory) iconOf(providerName string) string {
	if d, ok := dir.catalogue.Provider(providerName); !ok || len(d.Icon) == 0 {
		return ""
	}
	return "/providers/" + providerName + "/icon"
}

func (dir *directory) serviceRef(s service.Service) view.ServiceRef {
	return view.ServiceRefOf(s, dir.iconOf(s.Provider))
}

// serviceRefs names every service, by id.
func (dir *directory) serviceRefs(c *gin.Context) (map[string]view.ServiceRef, error) {
	services, err := dir.services.List(c.Request.Context())
	if err != nil {
		return nil, err
	}
	refs := make(map[string]view.ServiceRef, len(services))
	for _, s := range services {
		refs[s.ID] = dir.serviceRef(s)
	}
	return refs, nil
}

func (dir *directory) serviceView(c *gin.Context, s service.Service) view.Service {
	lang := i18n.Lang(c.Request.Context())
	v := view.Service{
		ServiceRef: dir.serviceRef(s), ClientID: s.ClientID, RedirectURI: dir.flow.RedirectURI(s), Scopes: s.Scopes,
		Options: view.OptionValuesOf(s, lang), CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
		Doubts: view.DoubtsOf(s, lang), Held: heldHosts([]service.Service{s}), Secrets: view.SecretsOf(s, time.Now()),
	}
	_, served := dir.catalogue.Provider(s.Provider)
	v.Unserved = !served
	if s.Description != nil {
		v.Provider = view.ProviderOf(*s.Description, dir.iconOf(s.Provider), lang)
		for _, h := range s.Description.Hosts {
			v.Hosts = append(v.Hosts, h.Pattern)
		}
	}
	return v
}

// serviceEntered is the name of the service that was chosen, or typed by its title.
func (dir *directory) serviceEntered(ctx context.Context, entered string) (string, error) {
	entered = strings.TrimSpace(entered)
	services, err := dir.services.Names(ctx)
	for _, s := range services {
		if s.Name == entered {
			return s.Name, nil
		}
	}
	for _, s := range services {
		if strings.EqualFold(s.Title, entered) {
			return s.Name, nil
		}
	}
	return entered, err
}
