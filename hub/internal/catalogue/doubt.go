package catalogue

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// doubted gives a prepared service the cautious rotation policy while its options are in
// doubt: that of the provider for the default options, if it forbids to repeat a lost
// renewal. Without doubts the service is not doubtful any more.
func (c *Catalogue) doubted(ctx context.Context, svc service.Service, d provider.Description, now time.Time) service.Service {
	if len(svc.Doubts()) == 0 {
		svc.Doubtful = false
		return svc
	}
	rotation := provider.Rotation{Kind: provider.RotationRotates}
	if usual, err := c.ask(ctx, svc.AsUsual(), d, now); err == nil {
		rotation = usual.Description.Rotation
	}
	svc, _ = careful(svc, rotation, now)
	return svc
}

// careful puts a rotation that forbids to repeat a lost renewal in the place of one
// that allows it, in a service whose options are in doubt; false if nothing changed.
func careful(svc service.Service, rotation provider.Rotation, now time.Time) (service.Service, bool) {
	policy := connection.Policy{Rotation: rotation}
	if len(svc.Doubts()) == 0 || policy.RepeatSafe() || !connection.PolicyOf(svc.Description, provider.GrantAuthorizationCode).RepeatSafe() {
		return svc, false
	}
	description := *svc.Description
	description.Rotation = rotation
	svc.Description, svc.UpdatedAt = &description, now
	return svc, true
}

// SettleDoubts is an administrator's answer about a service's doubtful options: they
// are right as stored, or they get their defaults. The policy of the service's
// connections follows. Errors: store.ErrNotFound, store.ErrStale, *InvalidError, *provider.Error of
// the provider's own check.
func (c *Catalogue) SettleDoubts(ctx context.Context, id string, asStored bool) error {
	return c.rewrite(ctx, id, func(svc service.Service) (service.Service, bool, error) {
		if len(svc.Doubts()) == 0 {
			return svc, false, nil
		}
		if !asStored {
			svc = svc.AsUsual()
		}
		d, sum, ok := c.host.Description(svc.Provider)
		if !ok {
			return svc, false, unserved()
		}
		now := time.Now()
		svc.Doubtful, svc.Description, svc.PluginSum, svc.UpdatedAt = false, &d, sum, now
		bound := svc.Bound(d.Hosts)
		svc.Hosts = bound
		svc, err := c.ask(ctx, svc, d, now)
		if err == nil {
			reached := service.HostsOf(svc, d.Hosts)
			err = enterAgain([]string{""}, bound, service.Beyond(bound, reached))
		}
		return svc, err == nil, err
	})
}
