package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/hub/internal/withdrawn"
)

// mostBehind is how many grants behind a backup the page lists.
const mostBehind = 500

// restoredShort returns the state of the last restore, for the overview.
func (p *dataPages) restoredShort(ctx context.Context) (v view.Restored, err error) {
	at, err := p.data.Restores(ctx)
	if err != nil || at.Newest.ID == "" {
		return v, err
	}
	r := at.Newest
	v = view.Restored{Cause: r.Cause, By: r.NoticedBy, At: r.NoticedAt, BackupAt: r.BackupAt, Held: r.Held(), Until: r.Until, EndedAt: r.EndedAt, Missing: at.Waiting}
	if v.BehindTotal = at.Listed; !v.Held && at.Listed > 0 {
		if v.BehindTotal, err = p.data.CountBehind(ctx); err != nil {
			return v, err
		}
	}
	v.Withdrawn, err = p.data.CountWithdrawn(ctx)
	return v, err
}

// restored shows the state of the last restore and the decisions that it needs.
func (p *dataPages) restored(c *gin.Context) {
	ctx := c.Request.Context()
	at, err := p.data.Restores(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	v, err := p.restoredShort(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	all, err := p.data.RestoreReplicas(ctx, at.Newest.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, x := range all {
		v.Forwarded += x.Forwarded
		v.Replicas = append(v.Replicas, view.ComparedReplica{Name: x.Name, ID: x.ID, ComparedAt: x.ComparedAt, Forwarded: x.Forwarded})
	}
	if !v.Held {
		if v.Behind, err = p.behind(c); err != nil {
			p.fail(c, err)
			return
		}
	}
	p.render(c, http.StatusOK, page.Restored(p.shell(c, view.SectionOverview), v))
}

// behind lists the grants that need a decision.
func (p *dataPages) behind(c *gin.Context) ([]view.BehindGrant, error) {
	refs, err := p.serviceRefs(c)
	if err != nil {
		return nil, err
	}
	found, err := p.data.Behind(c.Request.Context(), mostBehind)
	rows := make([]view.BehindGrant, 0, len(found))
	for _, b := range found {
		rows = append(rows, view.BehindGrant{Name: b.Name, Title: b.Title, Service: refs[b.ServiceID], Reason: b.Reason, ValidUntil: b.ExpiresAt})
	}
	return rows, err
}

// decideBehind shows the confirmation of a decision, and carries it out once confirmed.
func (p *dataPages) decideBehind(c *gin.Context) {
	ctx := c.Request.Context()
	d := view.BehindDecision{Decision: c.PostForm("decision"), All: ticked(c, "all"), Names: c.PostFormArray("connections")}
	d.Count = len(d.Names)
	if d.All {
		d.Names = nil
		n, err := p.data.CountBehind(ctx)
		if err != nil {
			p.fail(c, err)
			return
		}
		d.Count = n
	}
	if d.Count == 0 || d.Decision != replicadb.DecideTryOnce && d.Decision != replicadb.DecideSendLinks {
		p.flash(c, view.Flash{Key: "flash.bulk_nothing", Bad: true})
		back(c, "/restored")
		return
	}
	if !ticked(c, "confirmed") {
		p.render(c, http.StatusOK, page.BehindDecision(p.shell(c, view.SectionOverview), d))
		return
	}
	run, n, err := p.data.DecideBehind(ctx, d.Names, d.Decision)
	switch {
	case err != nil:
		p.fail(c, err)
	case n == 0:
		p.flash(c, view.Flash{Key: "flash.behind_none"})
		back(c, "/restored")
	default:
		back(c, "/bulk/"+run)
	}
}

// withdrawn lists the rights that were withdrawn and came back by a restore.
func (p *dataPages) withdrawn(c *gin.Context) {
	items, err := p.data.Withdrawn(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	p.render(c, http.StatusOK, page.Withdrawn(p.shell(c, view.SectionOverview), withdrawnThings(items)))
}

func withdrawnThings(items []withdrawn.Item) []view.WithdrawnThing {
	things := make([]view.WithdrawnThing, 0, len(items))
	for _, i := range items {
		things = append(things, thingOf(i))
	}
	return things
}

func thingOf(i withdrawn.Item) view.WithdrawnThing {
	return view.WithdrawnThing{Act: strings.ReplaceAll(i.Act, ".", "_"), Object: i.Object, Title: i.Title, At: i.At}
}

// withdrawAgain withdraws all of them again. Those that could not be withdrawn are shown with
// the reason.
func (p *dataPages) withdrawAgain(c *gin.Context) {
	done, err := p.data.WithdrawAgain(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	var left []view.WithdrawnThing
	for _, o := range done {
		if o.Err != nil {
			thing := thingOf(o.Item)
			thing.Problem = o.Err.Error()
			left = append(left, thing)
		}
	}
	if len(left) > 0 {
		p.render(c, http.StatusConflict, page.Withdrawn(p.shell(c, view.SectionOverview), left))
		return
	}
	p.flash(c, view.Flash{Key: "flash.withdrawn_again"})
	back(c, "/withdrawn")
}
