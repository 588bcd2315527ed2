package catalogue

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Catalogue makes services and connections. It is safe for concurrent use.
type Catalogue struct {
	store  *store.Store
	host   *pluginhost.Host
	runner *operation.Runner
	log    hclog.Logger
}

// New returns a Catalogue.
func New(st *store.Store, host *pluginhost.Host, runner *operation.Runner, log hclog.Logger) *Catalogue {
	return &Catalogue{store: st, host: host, runner: runner, log: log}
}

// prepareTimeout bounds what a provider may take to look at a service.
const prepareTimeout = 20 * time.Second

// Providers lists what is on offer, by name.
func (c *Catalogue) Providers() []provider.Description { return c.host.Descriptions() }

// Provider returns one of them.
func (c *Catalogue) Provider(name string) (provider.Description, bool) {
	d, _, ok := c.host.Description(name)
	return d, ok
}

// ServiceDraft is what an administrator entered.
type ServiceDraft struct {
	Name, Title, Provider string
	ClientID              string
	// ClientSecret left empty keeps the stored one when a service is edited.
	ClientSecret string
	Scopes       []string
	// Options by name; secret ones left empty keep the stored value.
	Options map[string]any
	// PrivateHosts are hosts inside a private network that this service may reach.
	PrivateHosts []string
	// ApprovedHosts are patterns that the provider named for this service alone, now
	// approved. They are needed for installed plugins.
	ApprovedHosts []string
	// RedirectURI replaces the hub's own callback address for applications that
	// are registered with another one; usually empty.
	RedirectURI string
}

// AddService checks and stores a new service. Errors: *InvalidError,
// *provider.Error of the provider's own check.
func (c *Catalogue) AddService(ctx context.Context, draft ServiceDraft) (service.Service, error) {
	now := time.Now()
	svc, err := c.prepare(ctx, draft, service.Service{ID: store.NewID(), CreatedAt: now}, now)
	if err != nil {
		return svc, err
	}
	if err := c.store.CreateService(ctx, svc); err != nil {
		if errors.Is(err, store.ErrNameTaken) {
			return svc, taken()
		}
		return svc, err
	}
	c.log.Info("service added", "service", svc.Name, "provider", svc.Provider)
	return svc, nil
}

// EditService checks and stores changes. The provider cannot be changed; the
// policy of the service's connections follows the new options.
func (c *Catalogue) EditService(ctx context.Context, id string, draft ServiceDraft) (service.Service, error) {
	old, err := c.store.Service(ctx, id)
	if err != nil {
		return old, err
	}
	draft.Provider = old.Provider
	svc, err := c.prepare(ctx, draft, old, time.Now())
	if err != nil {
		return svc, err
	}
	if err := c.store.UpdateService(ctx, svc); err != nil {
		if errors.Is(err, store.ErrNameTaken) {
			return svc, taken()
		}
		return svc, err
	}
	c.log.Info("service edited", "service", svc.Name)
	return svc, c.applyPolicy(ctx, svc)
}

// Prepare checks a draft as AddService and EditService do, and stores nothing; id is
// the edited service's, empty for a new one.
func (c *Catalogue) Prepare(ctx context.Context, id string, draft ServiceDraft) (service.Service, error) {
	old := service.Service{ID: store.NewID()}
	if id != "" {
		var err error
		if old, err = c.store.Service(ctx, id); err != nil {
			return old, err
		}
		draft.Provider = old.Provider
	}
	return c.prepare(ctx, draft, old, time.Now())
}

// RemoveService deletes a service without connections; store.ErrInUse with.
func (c *Catalogue) RemoveService(ctx context.Context, id string) error {
	return c.store.DeleteService(ctx, id)
}

// prepare checks a draft and asks the provider about it.
func (c *Catalogue) prepare(ctx context.Context, draft ServiceDraft, old service.Service, now time.Time) (service.Service, error) {
	d, sum, ok := c.host.Description(draft.Provider)
	invalid := &InvalidError{}
	if !ok {
		invalid.add("provider", "No plugin serves this provider.", "Ни один плагин не предоставляет этот тип сервиса.")
		return old, invalid
	}
	svc := old
	svc.Name, svc.Title, svc.Provider = strings.TrimSpace(draft.Name), strings.TrimSpace(draft.Title), draft.Provider
	svc.ClientID, svc.RedirectURI = strings.TrimSpace(draft.ClientID), strings.TrimSpace(draft.RedirectURI)
	svc.Scopes, svc.PluginSum, svc.UpdatedAt = cleaned(draft.Scopes), sum, now
	svc.PrivateHosts = cleaned(draft.PrivateHosts)
	svc.ApprovedHosts = cleaned(append(svc.ApprovedHosts, draft.ApprovedHosts...))
	if secret := strings.TrimSpace(draft.ClientSecret); secret != "" {
		svc.ClientSecret = secret
	}
	if svc.Title == "" {
		svc.Title = svc.Name
	}
	invalid.checkName(svc.Name)
	invalid.checkClient(svc, d)
	invalid.checkPrivateHosts(svc.PrivateHosts)
	entered := keepSecrets(draft.Options, old.Options, d.Options)
	options, problems := d.Options.Validate(entered)
	for _, p := range problems {
		invalid.Problems = append(invalid.Problems, Problem{Field: "options." + p.Option, Message: p.Message})
	}
	if err := invalid.orNil(); err != nil {
		return svc, err
	}
	svc.Options, svc.Data, svc.Description = options, nil, &d
	return c.ask(ctx, svc, d, now)
}

func (e *InvalidError) checkClient(svc service.Service, d provider.Description) {
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
	prepared, err := c.runner.PrepareService(ctx, &operation.Op{Service: svc, Now: now})
	if private, ok := errors.AsType[*egress.PrivateError](err); ok {
		return svc, notAllowed(private)
	}
	if err != nil {
		if cause, ok := errors.AsType[*provider.Error](err); ok && cause.Option != "" {
			invalid := &InvalidError{}
			text := provider.Text{EN: cause.Message}
			if !cause.Remedy.IsZero() {
				text = cause.Remedy
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

// applyPolicy gives a service's connections its new policy. A renewal may move
// a generation meanwhile; it then writes the policy that it read, so the row is
// tried again.
func (c *Catalogue) applyPolicy(ctx context.Context, svc service.Service) error {
	connections, err := c.store.Connections(ctx, store.Filter{ServiceID: svc.ID})
	if err != nil {
		return err
	}
	policy := connection.PolicyOf(svc.Description)
	for _, conn := range connections {
		for range 5 {
			err = c.store.UpdateConnection(ctx, conn.WithPolicy(time.Now(), policy), conn.Generation)
			if !errors.Is(err, store.ErrStale) {
				break
			}
			if conn, err = c.store.Connection(ctx, conn.ID); err != nil {
				break
			}
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// Refresh prepares again the services whose plugin has changed since. A service
// that its provider now refuses keeps what it had, and the log says so.
func (c *Catalogue) Refresh(ctx context.Context) error {
	services, err := c.store.Services(ctx)
	if err != nil {
		return err
	}
	for _, old := range services {
		d, sum, ok := c.host.Description(old.Provider)
		if !ok || sum == old.PluginSum {
			continue
		}
		svc := old
		svc.PluginSum, svc.Description, svc.UpdatedAt = sum, &d, time.Now()
		if svc, err = c.ask(ctx, svc, d, time.Now()); err != nil {
			c.log.Warn("the changed plugin does not accept a service; it is kept as it was", "service", old.Name, "error", err)
			continue
		}
		if err := c.store.UpdateService(ctx, svc); err != nil {
			return err
		}
		if err := c.applyPolicy(ctx, svc); err != nil {
			return err
		}
	}
	return nil
}
