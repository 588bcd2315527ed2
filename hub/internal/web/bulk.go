package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// bulkShown is how many results a page of a run shows, bulkNamed how many connections a
// question names.
const (
	bulkShown = 200
	bulkNamed = 10
)

// choice is an act and what it is to be done to, as a form says.
type choice struct {
	ask view.BulkAsk
	f   grantdb.Filter
	// list is where the form stands.
	list string
}

// bulk begins an act on the picked connections, or on all that a list finds. One that
// destroys is asked about first.
func (p *Pages) bulk(c *gin.Context) {
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
	id, _, err := p.o.Bulk.Begin(ctx, act, argument, x.f)
	if err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/bulk/"+id)
}

// argumentOf is the tag of an act that needs one.
func argumentOf(c *gin.Context, act string) (argument string, ok bool) {
	if act != bulk.Tag && act != bulk.Untag {
		return "", true
	}
	tags := tagsOf(c.PostForm("tag"))
	if len(tags) == 0 {
		return "", false
	}
	return tags[0], true
}

// choiceOf reads what an act is to be done to.
func (p *Pages) choiceOf(c *gin.Context) (choice, error) {
	asked, _ := url.ParseQuery(c.PostForm("query")) // what cannot be read is left out
	x := choice{ask: view.BulkAsk{
		Act: c.PostForm("act"), All: ticked(c, "all"), Query: asked.Encode(), Trash: ticked(c, "trash"), Keep: p.o.TrashKeep,
	}}
	if !x.ask.All {
		x.ask.Picked = c.PostFormArray("connections")
	}
	if x.ask.Trash {
		x.list, x.ask.Search = "/trash?"+x.ask.Query, strings.TrimSpace(asked.Get("q"))
		x.f = grantdb.Filter{Trash: true, Query: x.ask.Search}
		if !x.ask.All {
			x.f = grantdb.Filter{Trash: true, IDs: x.ask.Picked}
		}
		return x, nil
	}
	x.list = "/connections?" + x.ask.Query
	if to := c.PostForm("back"); to != "" {
		x.list = localPath(to)
	}
	refs, err := p.serviceRefs(c)
	if err != nil {
		return x, err
	}
	f, v := listFilter(asked, refs)
	f.AfterName, f.AfterKey, f.Limit = "", "", 0
	x.f, x.ask.Search, x.ask.Status, x.ask.Service, x.ask.Tag = f, v.Query, f.Status, v.Service.Title, v.Tag
	if !x.ask.All {
		x.f = grantdb.Filter{Names: x.ask.Picked}
	}
	return x, nil
}

// confirmed reports whether somebody has agreed to an act that destroys, knowing how many
// connections it concerns; else it asks.
func (p *Pages) confirmed(c *gin.Context, x *choice) bool {
	going, err := p.o.Bulk.Going(c.Request.Context(), x.f, bulkNamed)
	if err != nil {
		p.fail(c, err)
		return false
	}
	if going.Connections == 0 {
		p.flash(c, view.Flash{Key: "flash.bulk_nothing", Bad: true})
		back(c, x.list)
		return false
	}
	if x.ask.Act == bulk.Links {
		if err := p.linkReceivers(c.Request.Context(), x); err != nil {
			p.fail(c, err)
			return false
		}
	}
	known, asked := c.GetPostForm("confirmed")
	x.ask.Count, x.ask.Names, x.ask.Granting, x.ask.Rotating = going.Connections, going.Names, going.Granting, going.Rotating
	x.ask.Keys, x.ask.Rules, x.ask.Channels = going.Keys, going.Rules, going.Channels
	count := strconv.Itoa(going.Connections)
	switch {
	case !asked:
	case known != count:
		x.ask.Problem = "changed"
	case x.ask.Typed() && strings.Join(strings.FieldsFunc(c.PostForm("number"), func(r rune) bool { return r < '0' || r > '9' }), "") != count:
		x.ask.Problem = "number"
	default:
		return true
	}
	status := http.StatusOK
	if x.ask.Problem != "" {
		status = http.StatusUnprocessableEntity
	}
	p.render(c, status, page.BulkAsk(p.shell(c, view.SectionConnections), x.ask, x.list))
	return false
}

// linkReceivers counts who gets the links of what is chosen.
func (p *Pages) linkReceivers(ctx context.Context, x *choice) (err error) {
	contacts, err := p.o.Notifications.Contacts(ctx)
	if err != nil {
		return err
	}
	for _, who := range contacts {
		if who.TakesRest {
			x.ask.Rest = who.Title
			break
		}
	}
	x.ask.Receivers, x.ask.Ownerless, err = p.o.Bulk.Receivers(ctx, x.f)
	return err
}

// bulkRun shows how a run goes.
func (p *Pages) bulkRun(c *gin.Context) {
	skip, _ := strconv.Atoi(c.Query("skip")) // none is the first page
	asked := bulkdb.BulkPage{State: c.Query("state"), Skip: max(0, skip), Limit: bulkShown}
	run, counts, items, err := p.o.Bulk.Run(c.Request.Context(), c.Param("id"), asked)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.BulkRun{
		ID: run.ID, Act: run.Act, Argument: run.Argument, State: asked.State,
		Done: counts[bulkdb.BulkDone], Failed: counts[bulkdb.BulkFailed], Waiting: counts[bulkdb.BulkWaiting], Cancelled: counts[bulkdb.BulkCancelled],
	}
	v.Total = v.Done + v.Failed + v.Waiting + v.Cancelled
	for _, item := range items {
		shown := view.BulkItem{Name: item.Name, State: item.State, Message: item.Message}
		if key, said, ours := bulk.Said(item.Message); ours {
			shown.Said, shown.Message = key, said
		}
		if shown.Said == bulk.BothKey {
			en, ru := bulk.Both(shown.Message)
			shown.Said, shown.Message = "", i18n.Text(c.Request.Context(), provider.Text{EN: en, RU: ru})
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
		v.Rest = "/connections/import?" + url.Values{"rest": {run.ID}}.Encode()
	}
	p.render(c, http.StatusOK, page.BulkRun(p.shell(c, view.SectionConnections), v))
}

// cancelBulk leaves alone what of a run still waits.
func (p *Pages) cancelBulk(c *gin.Context) {
	ctx := c.Request.Context()
	err := p.o.Bulk.Cancel(ctx, c.Param("id"))
	if errors.Is(err, store.ErrNotFound) { // it may be over
		_, _, _, err = p.o.Bulk.Run(ctx, c.Param("id"), bulkdb.BulkPage{Limit: 1})
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/bulk/"+url.PathEscape(c.Param("id")))
}
