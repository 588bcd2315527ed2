package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// bulkShown is how many results a page of a run shows, bulkNamed how many connections a
// question names.
const (
	bulkShown = 200
	bulkNamed = 10
)

// choice is an act and its targets as entered in a form.
type choice struct {
	ask view.BulkAsk
	f   grantdb.Filter
	// list is the page that the form is on.
	list string
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
func (p *bulkPages) choiceOf(c *gin.Context) (choice, error) {
	asked, _ := url.ParseQuery(c.PostForm("query")) // what cannot be read is left out
	x := choice{ask: view.BulkAsk{
		Act: c.PostForm("act"), All: ticked(c, "all"), Query: asked.Encode(), Trash: ticked(c, "trash"), Keep: p.trashKeep,
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

// confirmed reports whether a destructive act was confirmed for the present number of
// connections; otherwise it shows the confirmation.
func (p *bulkPages) confirmed(c *gin.Context, x *choice) bool {
	going, err := p.runner.Going(c.Request.Context(), x.f, bulkNamed)
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
	if x.ask.Act == bulk.Delete {
		if err := p.stay(c.Request.Context(), x); err != nil {
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

// stay names what shares an authorization with what is chosen, and stays.
func (p *bulkPages) stay(ctx context.Context, x *choice) error {
	parts, beside, err := p.runner.Staying(ctx, x.f, bulkNamed)
	x.ask.StayingParts, x.ask.StayingBeside = view.Staying(parts), view.Staying(beside)
	return err
}

// linkReceivers counts who gets the links of what is chosen.
func (p *bulkPages) linkReceivers(ctx context.Context, x *choice) (err error) {
	contacts, err := p.notifications.Contacts(ctx)
	if err != nil {
		return err
	}
	for _, who := range contacts {
		if who.TakesRest {
			x.ask.Rest = who.Title
			break
		}
	}
	x.ask.Receivers, x.ask.Ownerless, err = p.runner.Receivers(ctx, x.f)
	return err
}
