package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/service"
)

// Service is a service as administrators see it; its secrets are never shown.
type Service struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	Provider  string `json:"provider"`
	ClientID  string `json:"client_id"`
	HasSecret bool   `json:"has_client_secret"`
	// Secrets are the client secrets without their values.
	Secrets     []ServiceSecret `json:"client_secrets,omitempty" doc:"The client secrets, the current one first; their values are never shown"`
	Scopes      []string        `json:"scopes,omitempty"`
	Options     map[string]any  `json:"options,omitempty" doc:"Without secret values"`
	RedirectURI string          `json:"redirect_uri" doc:"The address to register at the service"`
	AutoRenew   string          `json:"auto_renew"`
	Hosts       []string        `json:"hosts"`
	HeldHosts   []string        `json:"held_hosts,omitempty" doc:"New hosts that a new version of the plugin, or of the service's own settings, names; nothing is sent for the service until an owner has agreed to them"`
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
	// Doubts wait for an administrator's answer in the web hub.
	Doubts []ServiceDoubt `json:"doubts,omitempty" doc:"Options that an earlier version of the web hub probably stored as no by mistake; until an administrator answers in the web hub, a lost renewal is not repeated if the default forbids it"`
}

// ServiceSecret is a client secret of a service, without its value.
type ServiceSecret struct {
	Current bool       `json:"current" doc:"An administrator, or the hub after the service refused the other one, made it the current one"`
	Used    bool       `json:"used" doc:"It is the one that is sent now: the current one, or the other one if only the current one has ended"`
	EndsAt  *time.Time `json:"ends_at,omitempty" doc:"When the service stops accepting it, as far as an administrator has entered it"`
}

// ServiceDoubt is an option that stands at no although yes is its default.
type ServiceDoubt struct {
	Option  string `json:"option" example:"rotation"`
	Stored  any    `json:"stored"`
	Default any    `json:"default"`
}

// ServiceBody is what an administrator enters.
type ServiceBody struct {
	Name         string         `json:"name,omitempty" doc:"Part of the callback's address: lower-case letters, digits, hyphens" example:"sales-bitrix24"`
	Title        string         `json:"title,omitempty" example:"Битрикс24 — отдел продаж"`
	Provider     string         `json:"provider,omitempty" doc:"Required for a new service; cannot be changed" example:"bitrix24"`
	ClientID     string         `json:"client_id,omitempty" doc:"Required"`
	ClientSecret string         `json:"client_secret,omitempty" doc:"Write-only; empty keeps the stored one"`
	SecretEnds   *string        `json:"client_secret_ends_at,omitempty" doc:"When the service stops accepting the current client secret, as YYYY-MM-DD or RFC 3339; absent keeps the stored end, unless the secret is replaced, and empty says that none is known" example:"2027-05-31"`
	OtherSecret  string         `json:"other_client_secret,omitempty" doc:"Write-only; a second client secret. Added to a service that has one, it becomes the current one, and the one before stays as the fallback until its end; empty keeps the stored one"`
	OtherEnds    *string        `json:"other_client_secret_ends_at,omitempty" doc:"The end of the second client secret, as client_secret_ends_at"`
	UseOther     bool           `json:"use_other_client_secret,omitempty" doc:"Make the stored second client secret the current one"`
	DropOther    bool           `json:"drop_other_client_secret,omitempty" doc:"Remove the stored second client secret"`
	Scopes       []string       `json:"scopes,omitempty"`
	Options      map[string]any `json:"options,omitempty" doc:"As the provider's option schema says; empty secret ones keep the stored value"`
	RedirectURI  string         `json:"redirect_uri,omitempty" doc:"Only for applications registered with another address than the hub's"`

	PrivateHosts  []string `json:"private_hosts,omitempty" doc:"Hosts inside your own network that this service may reach" example:"crm.lan"`
	ApprovedHosts []string `json:"approved_hosts,omitempty" doc:"Hosts that an installed plugin named for this service alone and that you approve"`
	ConsentHosts  []string `json:"consent_hosts,omitempty" doc:"New hosts, by name, that the grants of this service may go to; needed where a change moves them, from an API key that an owner of the hub has made"`
}

// ConsentBody is an owner's consent.
type ConsentBody struct {
	ConsentHosts []string `json:"consent_hosts" doc:"The new hosts, by name, as held_hosts of the services has them"`
}

// Consented are the services that go on.
type Consented struct {
	Services []string `json:"services" doc:"Names of the services that waited for these hosts"`
}

// draft is what was entered.
func draft(b ServiceBody) (catalogue.ServiceDraft, error) {
	d := catalogue.ServiceDraft{
		Name: b.Name, Title: b.Title, Provider: b.Provider, ClientID: b.ClientID, ClientSecret: b.ClientSecret,
		Scopes: b.Scopes, Options: b.Options, RedirectURI: b.RedirectURI, PrivateHosts: b.PrivateHosts, ApprovedHosts: b.ApprovedHosts,
		ConsentHosts: b.ConsentHosts, OtherSecret: b.OtherSecret, UseOther: b.UseOther, DropOther: b.DropOther,
	}
	var err error
	if d.SecretEndsAt, err = endOf(catalogue.SecretEndsField, b.SecretEnds); err == nil {
		d.OtherEndsAt, err = endOf(catalogue.OtherSecretEndsField, b.OtherEnds)
	}
	return d, err
}

// endOf reads an end that was given; nil if none was.
func endOf(field string, text *string) (*time.Time, error) {
	if text == nil {
		return nil, nil //nolint:nilnil // that none was given is no error
	}
	return catalogue.ParseEnd(field, *text)
}

// secretsOf are the client secrets of a service without their values.
func secretsOf(s service.Service, now time.Time) (list []ServiceSecret) {
	sent := s.At(now).ClientSecret
	for i, secret := range s.Secrets() {
		v := ServiceSecret{Current: i == 0, Used: secret.Value == sent}
		if !secret.EndsAt.IsZero() {
			v.EndsAt = new(secret.EndsAt.UTC())
		}
		list = append(list, v)
	}
	return list
}

func (a *API) serviceView(s service.Service) Service {
	v := Service{
		Name: s.Name, Title: s.Title, Provider: s.Provider, ClientID: s.ClientID, HasSecret: s.ClientSecret != "", Secrets: secretsOf(s, time.Now()), Scopes: s.Scopes,
		Options: map[string]any{}, RedirectURI: a.flow.RedirectURI(s), AutoRenew: string(s.Description.AutoRenew),
		CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
	for _, o := range s.Description.Options.Options {
		if value, ok := s.Options[o.Name]; ok && !o.Secret {
			v.Options[o.Name] = value
		}
	}
	for _, d := range s.Doubts() {
		v.Doubts = append(v.Doubts, ServiceDoubt{Option: d.Option.Name, Stored: d.Stored, Default: d.Default})
	}
	for _, h := range s.Description.Hosts {
		v.Hosts = append(v.Hosts, h.Pattern)
	}
	v.HeldHosts = service.HostNames(s.HeldHosts)
	return v
}

func (a *API) registerServices() {
	huma.Register(a.huma, operation("list-services", http.MethodGet, "/api/v1/services", "List services", "Services"),
		func(ctx context.Context, _ *struct{}) (*listOf[Service], error) {
			services, err := a.store.Services.Services(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			var items []Service
			for _, s := range services {
				items = append(items, a.serviceView(s))
			}
			return list(items), nil
		})
	add := operation("add-service", http.MethodPost, "/api/v1/services", "Add a service", "Services", 422, 502, 503)
	add.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, add, func(ctx context.Context, in *one[ServiceBody]) (*one[Service], error) {
		entered, err := draft(in.Body)
		if err != nil {
			return nil, a.fail(err)
		}
		svc, err := a.services.Add(ctx, entered)
		if err != nil {
			return nil, a.fail(err)
		}
		return &one[Service]{a.serviceView(svc)}, nil
	})
	huma.Register(a.huma, operation("get-service", http.MethodGet, "/api/v1/services/{name}", "Show a service", "Services", 404),
		func(ctx context.Context, in *NameInput) (*one[Service], error) {
			svc, err := a.store.Services.ServiceByName(ctx, in.Name)
			if err != nil {
				return nil, a.fail(err)
			}
			return &one[Service]{a.serviceView(svc)}, nil
		})
	huma.Register(a.huma, operation("edit-service", http.MethodPut, "/api/v1/services/{name}", "Change a service", "Services", 404, 422, 502, 503),
		func(ctx context.Context, in *struct {
			NameInput
			Body ServiceBody
		}) (*one[Service], error) {
			entered, err := draft(in.Body)
			if err != nil {
				return nil, a.fail(err)
			}
			svc, err := a.services.Edit(ctx, in.Name, entered)
			if err != nil {
				return nil, a.fail(err)
			}
			return &one[Service]{a.serviceView(svc)}, nil
		})
	huma.Register(a.huma, operation("consent-hosts", http.MethodPost, "/api/v1/services/consent-hosts", "Agree to new hosts, for all services that wait for them", "Services", 422), a.consentHosts)
	huma.Register(a.huma, operation("remove-service", http.MethodDelete, "/api/v1/services/{name}", "Delete a service without connections", "Services", 404, 409),
		func(ctx context.Context, in *NameInput) (*struct{}, error) {
			if _, err := a.services.Delete(ctx, in.Name); err != nil {
				return nil, a.fail(err)
			}
			return nil, nil
		})
}

func (a *API) consentHosts(ctx context.Context, in *one[ConsentBody]) (*one[Consented], error) {
	released, err := a.services.ConsentHosts(ctx, in.Body.ConsentHosts)
	if errors.Is(err, act.ErrNotAllowed) {
		return nil, problem(http.StatusForbidden, "forbidden", "Not allowed", "An owner of the hub has to agree to new hosts: in the web hub, or with an API key that an owner has made.")
	}
	if err != nil {
		return nil, a.fail(err)
	}
	names := []string{}
	for _, s := range released {
		names = append(names, s.Name)
	}
	return &one[Consented]{Consented{Services: names}}, nil
}
