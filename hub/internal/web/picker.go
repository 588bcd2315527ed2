package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// pickerShown is how many connections a picker offers beside those that are chosen.
const pickerShown = 50

// picker offers connections to choose from: those that are chosen, and the first that a
// search finds.
func (p *keyPages) picker(c *gin.Context, query string, chosen []string) (view.Picker, error) {
	ctx := c.Request.Context()
	v := view.Picker{Query: strings.TrimSpace(query)}
	refs, err := p.serviceRefs(c)
	if err != nil {
		return v, err
	}
	if len(chosen) > 0 {
		if v.Chosen, err = p.some(c, refs, grantdb.Filter{Names: chosen}); err != nil {
			return v, err
		}
	}
	f := grantdb.Filter{Query: v.Query, Limit: pickerShown + len(v.Chosen)}
	found, err := p.some(c, refs, f)
	if err != nil {
		return v, err
	}
	found = slices.DeleteFunc(found, func(r view.ConnectionRow) bool {
		return slices.ContainsFunc(v.Chosen, func(x view.ConnectionRow) bool { return x.Name == r.Name })
	})
	v.Offered = found[:min(len(found), pickerShown)]
	byStatus, err := p.connections.CountByStatus(ctx, grantdb.Filter{Query: v.Query})
	if err != nil {
		return v, err
	}
	v.Found = view.CountsByStatus(byStatus).Total
	all, err := p.counts(ctx)
	v.All = all.Total
	return v, err
}

// pickForKey shows the form of a key again with what a search finds. Nothing of what was
// entered is lost.
func (p *keyPages) pickForKey(c *gin.Context) { p.showKeyForm(c, http.StatusOK, enteredKey(c)) }

// some reads the rows that a filter chooses.
func (p *keyPages) some(c *gin.Context, refs map[string]view.ServiceRef, f grantdb.Filter) ([]view.ConnectionRow, error) {
	connections, err := p.connections.List(c.Request.Context(), f)
	return rowsOf(connections, refs, nil), err
}
