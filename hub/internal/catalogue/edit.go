package catalogue

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// EditService checks and stores changes. The provider cannot be changed; the
// policy of the service's connections follows the new options. A change by which secrets
// or grants would go to other hosts needs the secrets again, and with grants an owner's
// consent.
func (c *Catalogue) EditService(ctx context.Context, id string, draft ServiceDraft) (service.Service, error) {
	for range rewriteTries - 1 {
		svc, err := c.edit(ctx, id, draft)
		if !errors.Is(err, store.ErrStale) {
			return svc, err
		}
	}
	return c.edit(ctx, id, draft)
}

// edit is EditService, once; store.ErrStale after a concurrent change.
func (c *Catalogue) edit(ctx context.Context, id string, draft ServiceDraft) (service.Service, error) {
	old, err := c.store.Services.Service(ctx, id)
	if err != nil {
		return old, err
	}
	draft.Provider = old.Provider
	d, _ := c.Provider(old.Provider)
	bound := old.Bound(d.Hosts)
	svc, err := c.prepare(ctx, draft, old, time.Now())
	if invalid, ok := errors.AsType[*InvalidError](err); ok && len(invalid.NewHosts) > 0 {
		return svc, c.consented(ctx, draft, id, invalid.NewHosts, invalid)
	}
	if err != nil {
		return svc, err
	}
	more := service.HostNames(service.Beyond(bound, svc.Hosts))
	if err := c.consented(ctx, draft, id, more, nil); err != nil {
		return svc, err
	}
	if err := c.store.Services.ReplaceService(ctx, svc, old.UpdatedAt); err != nil {
		switch {
		case errors.Is(err, store.ErrNameTaken):
			return svc, taken()
		case errors.Is(err, store.ErrStale):
			return svc, store.ErrStale
		}
		return svc, err
	}
	c.log.Info("service edited", "service", svc.Name)
	if len(more) > 0 {
		c.hosts(ctx, HostChange{Service: svc, From: service.HostNames(bound), New: more, How: HostsChanged})
	}
	return svc, c.applyPolicy(ctx, svc)
}
