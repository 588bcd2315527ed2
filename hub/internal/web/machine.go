package web

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/clock"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// Machine is what the overview tells of the machine that a hub runs on.
type Machine struct {
	Identity *identity.Identity
	Clock    *clock.Clock
	Data     *identity.Data
}

// mostReplicas bounds what the overview lists.
const mostReplicas = 20

// silent is how long a replica gives no sign of life until it counts as stopped.
const silent = 15 * time.Second

// machine reads what is to be known of clocks, copies and replicas.
func (p *Pages) machine(ctx context.Context) (v view.Machine, err error) {
	m := p.o.Machine
	v.Copied = m.Data.Suspected()
	if d, doubt := m.Clock.Doubt(); doubt {
		v.Clock = &view.Clock{Hub: d.Hub.Round(time.Second), Database: d.Database.Round(time.Second)}
	}
	for _, n := range m.Identity.Notices() {
		v.Notices = append(v.Notices, view.IdentityNotice{Kind: string(n.Kind), At: n.At, Was: n.Replica, Now: n.Now})
	}
	if v.Restored, err = p.restoredShort(ctx); err != nil {
		return v, err
	}
	all, now, err := p.o.Data.Replicas(ctx)
	if err != nil {
		return v, err
	}
	for _, r := range all {
		if len(v.Replicas) == mostReplicas {
			break
		}
		if r.LeftAt.IsZero() && !r.FencedAt.IsZero() && now.Sub(r.HeartbeatAt) > 24*time.Hour {
			continue
		}
		state := "runs"
		switch {
		case !r.LeftAt.IsZero():
			state = "left"
		case !r.FencedAt.IsZero():
			state = "replaced"
		case now.Sub(r.HeartbeatAt) > silent:
			state = "silent"
		}
		v.Replicas = append(v.Replicas, view.Replica{
			Name: r.Name, ID: r.ID, Epoch: r.Epoch, Place: r.Place, Version: r.Version, State: state, This: r.Owner() == m.Identity.Owner(),
			SeenAt: time.Now().Add(r.HeartbeatAt.Sub(now)),
		})
	}
	return v, nil
}

// adoptData takes a data folder that looks copied for the only one.
func (p *Pages) adoptData(c *gin.Context) {
	if err := p.o.Data.Adopt(c.Request.Context()); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "machine.adopted"})
	back(c, "/")
}
