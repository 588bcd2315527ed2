package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// bulkShown is how many results the page of a run shows.
const bulkShown = 200

// bulk begins an act on the picked connections, or on all of a list.
func (p *Pages) bulk(c *gin.Context) {
	ctx := c.Request.Context()
	act := c.PostForm("act")
	if !slices.Contains(view.BulkActs(ctx), act) {
		p.render(c, http.StatusForbidden, page.Failure(p.shell(c, ""), view.Failure{Status: http.StatusForbidden, Role: true}))
		return
	}
	asked, _ := url.ParseQuery(c.PostForm("query")) // what cannot be read is left out
	list := "/connections?" + asked.Encode()
	refs, err := p.serviceRefs(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	f, _ := listFilter(asked, refs)
	f.AfterName, f.AfterKey, f.Limit = "", 0, 0
	if !ticked(c, "all") {
		f = store.Filter{Names: c.PostFormArray("connections")}
		if len(f.Names) == 0 {
			p.flash(c, view.Flash{Key: "flash.bulk_nothing", Bad: true})
			back(c, list)
			return
		}
	}
	argument := ""
	if act == bulk.Tag || act == bulk.Untag {
		tags := tagsOf(c.PostForm("tag"))
		if len(tags) == 0 {
			p.flash(c, view.Flash{Key: "flash.bulk_tag", Bad: true})
			back(c, list)
			return
		}
		argument = strings.Join(tags[:1], "")
	}
	id, _, err := p.o.Bulk.Begin(ctx, act, argument, f)
	if err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/bulk/"+id)
}

func (p *Pages) bulkRun(c *gin.Context) {
	run, counts, items, err := p.o.Store.BulkRun(c.Request.Context(), c.Param("id"), bulkShown)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.BulkRun{ID: run.ID, Act: run.Act, Argument: run.Argument, Failed: counts[store.BulkFailed]}
	for _, n := range counts {
		v.Total += n
	}
	v.Done = v.Total - counts[store.BulkWaiting]
	for _, item := range items {
		v.Items = append(v.Items, view.BulkItem{Name: item.Name, State: item.State, Message: item.Message})
	}
	v.Hidden = v.Total - len(items)
	p.render(c, http.StatusOK, page.BulkRun(p.shell(c, view.SectionConnections), v))
}
