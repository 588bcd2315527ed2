package web

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/data"
	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/internal/clock"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// dataPages show the state of the hub's own data, and decide about data that was copied or
// restored.
type dataPages struct {
	*kit
	*directory
	data    *data.Data
	machine Machine
	damages func() []journal.Damage
	backups func(ctx context.Context) (backup.State, time.Duration)
}

func newDataPages(k *kit, d *directory, o Options) *dataPages {
	return &dataPages{kit: k, directory: d, data: o.Data, machine: o.Machine, damages: o.Damages, backups: o.Backups}
}

func (p *dataPages) routes(in inside) {
	manage, withdrawals := in.may(access.ActManage), in.may(access.ActWithdraw)
	in.may(access.ActSee).GET("/restored", p.restored)
	manage.POST("/data/adopt", p.adoptData)
	manage.POST("/data/key-kept", p.keepKey)
	manage.POST("/restored/behind", p.decideBehind)
	withdrawals.GET("/withdrawn", p.withdrawn)
	withdrawals.POST("/withdrawn", p.withdrawAgain)
}

// Machine has what the overview shows about the machine that the hub runs on.
type Machine struct {
	Identity *identity.Identity
	Clock    *clock.Clock
	Data     *identity.Data
}

// mostReplicas bounds what the overview lists.
const mostReplicas = 20

// silent is how old the last heartbeat of a replica is when it counts as stopped.
const silent = 15 * time.Second

// machineView reads the state of clocks, copies and replicas.
func (p *dataPages) machineView(ctx context.Context) (v view.Machine, err error) {
	m := p.machine
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
	all, now, err := p.data.Replicas(ctx)
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

// adoptData accepts a data folder that looks copied as the only one.
func (p *dataPages) adoptData(c *gin.Context) {
	if err := p.data.Adopt(c.Request.Context()); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "machine.adopted"})
	back(c, "/")
}

// keepKey records that a person has stored a copy of the hub's key.
func (p *dataPages) keepKey(c *gin.Context) {
	if err := p.data.KeepKey(c.Request.Context()); err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/")
}

// backupTrouble returns the trouble of scheduled backups; nil if there is none or no schedule.
func (p *dataPages) backupTrouble(ctx context.Context, now time.Time) *view.BackupTrouble {
	state, every := p.backups(ctx)
	if every == 0 || state.Problem == "" && (state.GoodAt.IsZero() || now.Sub(state.GoodAt) <= 2*every) {
		return nil
	}
	return &view.BackupTrouble{Problem: state.Problem, GoodAt: state.GoodAt}
}
