package web

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// keyKeptSetting says since when somebody has a copy of the hub's key.
const keyKeptSetting = "key-copy-kept"

// firstSteps tells what of the first steps is done. What has to do with people who are
// told is read every time: a channel may be taken away again.
func (p *Pages) firstSteps(ctx context.Context, services, connections int) (v view.FirstSteps, err error) {
	v.Service, v.Connection = services > 0, connections > 0
	if v.Told, err = p.somebodyIsTold(ctx); err != nil {
		return v, err
	}
	if v.Pulled = p.pulled.Load(); !v.Pulled && v.Connection {
		if v.Pulled, err = p.o.Store.AnyPulled(ctx); err != nil {
			return v, err
		}
		p.pulled.Store(v.Pulled)
	}
	_, err = p.o.Store.Setting(ctx, keyKeptSetting)
	if v.KeyKept = err == nil; errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return v, err
}

// somebodyIsTold reports whether any contact can be reached by a channel that is on.
func (p *Pages) somebodyIsTold(ctx context.Context) (bool, error) {
	channels, err := p.o.Store.Channels(ctx)
	if err != nil {
		return false, err
	}
	contacts, err := p.o.Store.Contacts(ctx)
	return slices.ContainsFunc(contacts, func(who policy.Contact) bool {
		return slices.ContainsFunc(who.Addresses, func(to policy.Address) bool {
			return slices.ContainsFunc(channels, func(by store.Channel) bool { return by.ID == to.Channel && by.DisabledAt.IsZero() })
		})
	}), err
}

// keepKey notes that a person has put a copy of the hub's key away.
func (p *Pages) keepKey(c *gin.Context) {
	ctx := c.Request.Context()
	if err := p.o.Store.SetSetting(ctx, keyKeptSetting, time.Now().UTC().Format(time.RFC3339)); err != nil {
		p.fail(c, err)
		return
	}
	p.o.Audit.Record(ctx, "data.key_kept", audit.Object{Kind: "data", Name: "key"})
	back(c, "/")
}
