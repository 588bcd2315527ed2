package web

import (
	"context"
	"slices"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// firstSteps reports which of the first steps are done. Contacts and channels are read every
// time, because a channel may be removed again.
func (p *overviewPages) firstSteps(ctx context.Context, services, connections int) (v view.FirstSteps, err error) {
	v.Service, v.Connection = services > 0, connections > 0
	if v.Told, err = p.somebodyIsTold(ctx); err != nil {
		return v, err
	}
	if v.Pulled = p.pulled.Load(); !v.Pulled && v.Connection {
		if v.Pulled, err = p.overview.AnyPulled(ctx); err != nil {
			return v, err
		}
		p.pulled.Store(v.Pulled)
	}
	v.KeyKept, err = p.hub.data.KeyKept(ctx)
	return v, err
}

// somebodyIsTold reports whether any contact can be reached by an enabled channel.
func (p *overviewPages) somebodyIsTold(ctx context.Context) (bool, error) {
	channels, err := p.notifications.Channels(ctx)
	if err != nil {
		return false, err
	}
	contacts, err := p.notifications.Contacts(ctx)
	return slices.ContainsFunc(contacts, func(who policy.Contact) bool {
		return slices.ContainsFunc(who.Addresses, func(to policy.Address) bool {
			return slices.ContainsFunc(channels, func(by noticedb.Channel) bool { return by.ID == to.Channel && by.DisabledAt.IsZero() })
		})
	}), err
}
