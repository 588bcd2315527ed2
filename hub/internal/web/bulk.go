package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// bulkPages act on many connections by one run.
type bulkPages struct {
	*kit
	*directory
	runner        *bulk.Runner
	notifications *notifications.Notifications
	trashKeep     time.Duration
}

func newBulkPages(k *kit, d *directory, o Options) *bulkPages {
	return &bulkPages{kit: k, directory: d, runner: o.Bulk, notifications: o.Notifications, trashKeep: o.TrashKeep}
}

func (p *bulkPages) routes(in inside) {
	operate := in.may(access.ActOperate)
	operate.POST("/bulk", p.bulk)
	operate.GET("/bulk/:id", p.bulkRun)
	operate.POST("/bulk/:id/cancel", p.cancelBulk)
}

// bulk begins an act on the picked connections, or on all that a list finds. A
// destructive one needs a confirmation.
func (p *bulkPages) bulk(c *gin.Context) {
	ctx := c.Request.Context()
	x, err := p.choiceOf(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	acts := view.BulkActs(ctx)
	if x.ask.Trash {
		acts = view.TrashActs(ctx)
	}
	if !slices.Contains(acts, x.ask.Act) {
		p.render(c, http.StatusForbidden, page.Failure(p.shell(c, ""), view.Failure{Status: http.StatusForbidden, Role: true}))
		return
	}
	if !x.ask.All && len(x.ask.Picked) == 0 {
		p.flash(c, view.Flash{Key: "flash.bulk_nothing", Bad: true})
		back(c, x.list)
		return
	}
	argument, ok := argumentOf(c, x.ask.Act)
	if !ok {
		p.flash(c, view.Flash{Key: "flash.bulk_tag", Bad: true})
		back(c, x.list)
		return
	}
	if view.Asks(x.ask.Act) && !p.confirmed(c, &x) {
		return
	}
	act := x.ask.Act
	if act == bulk.Delete && ticked(c, "revoke") {
		act = bulk.DeleteRevoke
	}
	id, _, err := p.runner.Begin(ctx, act, argument, x.f)
	if err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/bulk/"+id)
}

// bulkRun shows how a run goes.
func (p *bulkPages) bulkRun(c *gin.Context) {
	skip, _ := strconv.Atoi(c.Query("skip")) // none is the first page
	asked := bulkdb.BulkPage{State: c.Query("state"), Skip: max(0, skip), Limit: bulkShown}
	run, counts, items, err := p.runner.Run(c.Request.Context(), c.Param("id"), asked)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.BulkRun{
		ID: run.ID, Act: run.Act, Argument: run.Argument, State: asked.State,
		Done: counts[bulkdb.BulkDone], Failed: counts[bulkdb.BulkFailed], Waiting: counts[bulkdb.BulkWaiting] + counts[bulkdb.BulkTried], Cancelled: counts[bulkdb.BulkCancelled],
		Troubled: counts[bulkdb.BulkTroubled],
	}
	v.Total = v.Done + v.Failed + v.Waiting + v.Cancelled + v.Troubled
	if run.Act == bulk.Import {
		v.Argument, v.Try = "", run.Argument
		v.Going = run.Argument == bulk.TryAll && run.DoneAt.IsZero()
	}
	for _, item := range items {
		shown := view.BulkItem{Name: item.Name, State: item.State, Message: item.Message}
		if key, said, ours := bulk.Said(item.Message); ours {
			shown.Said, shown.Message = key, said
		}
		if shown.Said == bulk.BoundKey {
			shown.Message = ""
		}
		if shown.Said == bulk.BothKey {
			en, ru := bulk.Both(shown.Message)
			shown.Said, shown.Message = "", i18n.Text(c.Request.Context(), i18n.Words{EN: en, RU: ru})
		}
		if run.Act == bulk.Import {
			shown.Line = item.N
		}
		v.Items = append(v.Items, shown)
	}
	address := func(skip int) string {
		return "/bulk/" + run.ID + "?" + url.Values{"state": {asked.State}, "skip": {strconv.Itoa(skip)}}.Encode()
	}
	if asked.Skip > 0 {
		v.Prev = address(max(0, asked.Skip-bulkShown))
	}
	if asked.Skip+len(items) < v.Count(asked.State) {
		v.Next = address(asked.Skip + len(items))
	}
	if run.Act == bulk.Import && v.Over() && v.Failed+v.Cancelled > 0 {
		v.Rest = "/connections/import?" + url.Values{"rest": {run.ID}, "try": {run.Argument}}.Encode()
	}
	p.render(c, http.StatusOK, page.BulkRun(p.shell(c, view.SectionConnections), v))
}

// cancelBulk cancels the items of a run that have not begun.
func (p *bulkPages) cancelBulk(c *gin.Context) {
	ctx := c.Request.Context()
	err := p.runner.Cancel(ctx, c.Param("id"))
	if errors.Is(err, store.ErrNotFound) { // it may be over
		_, _, _, err = p.runner.Run(ctx, c.Param("id"), bulkdb.BulkPage{Limit: 1})
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/bulk/"+url.PathEscape(c.Param("id")))
}
