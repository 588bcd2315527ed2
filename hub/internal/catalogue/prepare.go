package catalogue

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// prepareTimeout bounds what a provider may take to look at a service.
const prepareTimeout = 20 * time.Second

// Prepare checks a draft as AddService and EditService do, and stores nothing; id is
// the edited service's, empty for a new one.
func (c *Catalogue) Prepare(ctx context.Context, id string, draft ServiceDraft) (service.Service, error) {
	old := service.Service{ID: store.NewID()}
	if id != "" {
		var err error
		if old, err = c.store.Services.Service(ctx, id); err != nil {
			return old, err
		}
		draft.Provider = old.Provider
	}
	return c.prepare(ctx, draft, old, time.Now())
}

// prepare validates a draft and has the provider prepare it.
func (c *Catalogue) prepare(ctx context.Context, draft ServiceDraft, old service.Service, now time.Time) (service.Service, error) {
	d, sum, ok := c.host.Description(draft.Provider)
	if !ok {
		return old, unserved()
	}
	invalid := &InvalidError{}
	svc := old
	svc.Name, svc.Title, svc.Provider = strings.TrimSpace(draft.Name), strings.TrimSpace(draft.Title), draft.Provider
	svc.ClientID, svc.RedirectURI = strings.TrimSpace(draft.ClientID), strings.TrimSpace(draft.RedirectURI)
	svc.Scopes, svc.PluginSum, svc.UpdatedAt = cleaned(draft.Scopes), sum, now
	svc.PrivateHosts = cleaned(draft.PrivateHosts)
	svc.ApprovedHosts = cleaned(append(svc.ApprovedHosts, draft.ApprovedHosts...))
	invalid.enterSecrets(&svc, draft, old, now)
	if svc.Title == "" {
		svc.Title = svc.Name
	}
	invalid.checkName(svc.Name)
	invalid.checkClient(svc, d)
	invalid.checkPrivateHosts(svc.PrivateHosts)
	entered := keepSecrets(draft.Options, old.Options, d.Options)
	options, problems := d.Options.Validate(entered)
	for _, p := range problems {
		invalid.Problems = append(invalid.Problems, Problem{Field: "options." + p.Option, Message: i18n.Words(p.Message)})
	}
	if err := invalid.orNil(); err != nil {
		return svc, err
	}
	svc.Options, svc.Data, svc.Description, svc.Hosts, svc.HeldHosts = options, nil, &d, nil, nil
	kept, bound := keptSecrets(draft, old, d.Options), old.Bound(d.Hosts)
	if len(kept) > 0 {
		// The plugin gets the stored options, so it reaches nothing else meanwhile.
		named := service.HostsOf(service.Service{Options: options}, d.Hosts)
		if err := enterAgain(kept, bound, service.Beyond(bound, named)); err != nil {
			return svc, err
		}
		if svc.Hosts = bound; sum == old.PluginSum {
			svc.Hosts = service.Merged(bound, service.Exact(d.Hosts))
		}
	}
	svc, err := c.ask(ctx, svc, d, now)
	if err != nil {
		return svc, err
	}
	svc = c.doubted(ctx, svc, d, now)
	svc.Hosts = service.HostsOf(svc, d.Hosts)
	return svc, enterAgain(kept, bound, service.Beyond(bound, svc.Hosts))
}

// NeedsClient reports whether services of a provider are clients that are registered
// there: all are, but those whose connections live by what a person enters alone.
func NeedsClient(d provider.Description) bool {
	grants := grantsIn(&d)
	return len(grants) == 0 || slices.ContainsFunc(grants, func(g provider.Grant) bool { return g != provider.GrantLogin && g != provider.GrantStatic })
}

func (e *InvalidError) checkClient(svc service.Service, d provider.Description) {
	if !NeedsClient(d) {
		return
	}
	if svc.ClientID == "" {
		e.add("client_id", "Fill in the client ID of your application.", "Укажите идентификатор вашего приложения (client_id).")
	}
	if svc.ClientSecret == "" && !d.PublicClient {
		e.add("client_secret", "Fill in the client secret of your application.", "Укажите секретный ключ вашего приложения (client_secret).")
	}
	if svc.RedirectURI != "" {
		if u, err := url.Parse(svc.RedirectURI); err != nil || u.Host == "" || u.Fragment != "" {
			e.add("redirect_uri", "Enter a full address without a fragment.", "Введите полный адрес без части после #.")
		}
	}
}

// ask runs the provider's own check.
func (c *Catalogue) ask(ctx context.Context, svc service.Service, d provider.Description, now time.Time) (service.Service, error) {
	if !slices.Contains(d.Grants, provider.GrantPrepareService) {
		return svc, nil
	}
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	prepared, err := c.runner.PrepareService(ctx, &operation.Op{Service: svc.At(now), Now: now})
	if private, ok := errors.AsType[*egress.PrivateError](err); ok {
		return svc, notAllowed(private)
	}
	if err != nil {
		if cause, ok := errors.AsType[*provider.Error](err); ok && cause.Option != "" {
			invalid := &InvalidError{}
			text := i18n.Words{EN: cause.Message}
			if !cause.Remedy.IsZero() {
				text = i18n.Words(cause.Remedy)
			}
			invalid.Problems = append(invalid.Problems, Problem{Field: "options." + cause.Option, Message: text})
			return svc, invalid
		}
		return svc, err
	}
	svc.Data = prepared.Data
	if prepared.Description != nil {
		if more := c.beyond(d, svc, prepared.Description.Hosts); len(more) > 0 {
			return svc, notApproved(more)
		}
		prepared.Description.Grants = narrowed(d.Grants, prepared.Description.Grants)
		svc.Description = prepared.Description
	}
	return svc, nil
}

// narrowed are the grants of a plugin that it serves for one service: it may say
// less than it can, never more. Saying nothing means all.
func narrowed(can, serves []provider.Grant) []provider.Grant {
	if len(serves) == 0 {
		return can
	}
	return slices.DeleteFunc(slices.Clone(can), func(g provider.Grant) bool { return !slices.Contains(serves, g) })
}

// keepSecrets fills secret options that were left empty with the stored ones.
func keepSecrets(entered, stored map[string]any, schema provider.Schema) map[string]any {
	merged := make(map[string]any, len(entered))
	maps.Copy(merged, entered)
	for _, o := range schema.Options {
		if v, given := merged[o.Name].(string); o.Secret && (!given || strings.TrimSpace(v) == "") {
			delete(merged, o.Name)
			if kept, ok := stored[o.Name]; ok {
				merged[o.Name] = kept
			}
		}
	}
	return merged
}

func cleaned(words []string) []string {
	var kept []string
	for _, s := range words {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
