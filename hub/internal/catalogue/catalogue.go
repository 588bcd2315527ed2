package catalogue

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Catalogue makes services and connections. It is safe for concurrent use.
type Catalogue struct {
	store  *store.Store
	host   *pluginhost.Host
	runner *operation.Runner
	log    hclog.Logger
	gone   func(ctx context.Context, c connection.Connection, how Gone)
	noted  func(ctx context.Context, act, connection, detail string)
	hosts  func(ctx context.Context, change HostChange)
}

// Gone is what became of a grant or its connection.
type Gone string

// What becomes of grants and connections.
const (
	GoneRevoked Gone = "revoked" // the grant was given back
	GoneTrashed Gone = "trashed" // the connection was moved into the trash
	GoneBack    Gone = "back"    // the connection was taken out of the trash
	GoneDeleted Gone = "deleted" // the connection was permanently removed from the trash
)

// OnGone sets the function that is called with every grant that is revoked, and every
// connection that is deleted or restored. Call it before the first act.
func (c *Catalogue) OnGone(told func(ctx context.Context, c connection.Connection, how Gone)) {
	c.gone = told
}

// tell calls that function once what has become of the connection is committed.
func (c *Catalogue) tell(ctx context.Context, conn connection.Connection, how Gone) {
	c.store.AfterCommit(ctx, func() { c.gone(context.WithoutCancel(ctx), conn, how) })
}

// New returns a Catalogue.
func New(st *store.Store, host *pluginhost.Host, runner *operation.Runner, log hclog.Logger) *Catalogue {
	return &Catalogue{
		store: st, host: host, runner: runner, log: log, gone: func(context.Context, connection.Connection, Gone) {},
		noted: func(context.Context, string, string, string) {}, hosts: func(context.Context, HostChange) {},
	}
}

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
	// ConsentHosts are new hosts, by name, to which the service's grants may go from now
	// on. MayConsent reports whether the caller may give that consent.
	ConsentHosts []string
	MayConsent   bool
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
	if err := c.store.Services.CreateService(ctx, svc); err != nil {
		if errors.Is(err, store.ErrNameTaken) {
			return svc, taken()
		}
		return svc, err
	}
	c.log.Info("service added", "service", svc.Name, "provider", svc.Provider)
	return svc, nil
}

// RemoveService deletes a service without connections; store.ErrInUse with.
func (c *Catalogue) RemoveService(ctx context.Context, id string) error {
	return c.store.Services.DeleteService(ctx, id)
}

// applyPolicy gives a service's connections its new policy. A renewal may move
// a generation meanwhile; it then writes the policy that it read, so the row is
// tried again.
func (c *Catalogue) applyPolicy(ctx context.Context, svc service.Service) error {
	connections, err := c.store.Grants.Connections(ctx, grantdb.Filter{ServiceID: svc.ID})
	if err != nil {
		return err
	}
	for _, conn := range connections {
		for range 5 {
			err = c.store.Grants.UpdateConnection(ctx, conn.WithPolicy(time.Now(), connection.PolicyOf(svc.Description, conn.Grant)), conn)
			if !errors.Is(err, store.ErrStale) {
				break
			}
			if conn, err = c.store.Grants.Connection(ctx, conn.ID); err != nil {
				break
			}
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// Refresh prepares again the services whose plugin has changed since, and those whose
// options are in doubt. A service that its provider now refuses is not changed, and that
// is logged.
func (c *Catalogue) Refresh(ctx context.Context) error {
	services, err := c.store.Services.Services(ctx)
	if err != nil {
		return err
	}
	for _, svc := range services {
		var old, refreshed service.Service
		err := c.rewrite(ctx, svc.ID, func(stored service.Service) (_ service.Service, changed bool, err error) {
			old = stored
			refreshed, changed, err = c.refreshed(ctx, old, time.Now())
			return refreshed, changed, err
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		c.notifyHeld(ctx, old, refreshed)
	}
	return nil
}

// rewriteTries is how often a change of a service is made anew that a concurrent change
// has made stale.
const rewriteTries = 5

// rewrite stores the result of do for a service, with the renewal policy of its
// connections, and never over a concurrent change. do returns false for no change.
func (c *Catalogue) rewrite(ctx context.Context, id string, do func(service.Service) (service.Service, bool, error)) error {
	for range rewriteTries {
		old, err := c.store.Services.Service(ctx, id)
		if err != nil {
			return err
		}
		svc, changed, err := do(old)
		if err != nil || !changed {
			return err
		}
		if err = c.store.Services.ReplaceService(ctx, svc, old.UpdatedAt); errors.Is(err, store.ErrStale) {
			continue
		}
		if err != nil {
			return err
		}
		return c.applyPolicy(ctx, svc)
	}
	return store.ErrStale
}

// refreshed prepares a service again if its plugin has changed since, or if its
// options are in doubt; false if there is nothing to store. One that would reach other
// hosts than it is bound to is held.
func (c *Catalogue) refreshed(ctx context.Context, old service.Service, now time.Time) (svc service.Service, changed bool, err error) {
	d, sum, ok := c.host.Description(old.Provider)
	if !ok {
		return old, false, nil
	}
	bound := old.Bound(d.Hosts)
	if sum == old.PluginSum && !old.Doubtful {
		svc = old
		svc.Hosts, svc.UpdatedAt = bound, now
		return svc, len(old.Hosts) == 0 && len(bound) > 0, nil
	}
	svc = old
	svc.PluginSum, svc.Description, svc.UpdatedAt = sum, &d, now
	svc.Hosts, svc.HeldHosts = bound, nil // the plugin's requests go nowhere else
	// What the plugin has replaced or added since gets its name and its default.
	if options, problems := d.Options.Validate(old.Options); len(problems) == 0 {
		svc.Options = options
	}
	svc, err = c.ask(ctx, svc, d, now)
	if err != nil {
		c.log.Warn("plugin rejected existing service, service unchanged", "service", old.Name, "error", err)
		svc, changed = careful(old, provider.Rotation{Kind: provider.RotationRotates}, now)
		return svc, changed, nil
	}
	return c.bindAnew(ctx, old, c.doubted(ctx, svc, d, now), d.Hosts, now)
}
