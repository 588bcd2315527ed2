package web

import (
	"errors"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// rehearsed is the rehearsal of a connection, for the page that shows it.
type rehearsed struct {
	Connection string
	view.Rehearsal
}

// rehearse asks whether a renewal would work, and leads to the page that says so.
func (p *connectionPages) rehearse(c *gin.Context) {
	name := c.Param("name")
	r, err := p.connections.Rehearse(c.Request.Context(), which(c))
	if errors.Is(err, authflow.ErrNothingToRehearse) {
		back(c, "/connections/"+url.PathEscape(name))
		return
	}
	if err == nil {
		err = p.show(c, shownRehearsal, rehearsed{Connection: name, Rehearsal: rehearsalView(r)})
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/connections/"+url.PathEscape(name))
}

func rehearsalView(r authflow.Rehearsal) view.Rehearsal {
	v := view.Rehearsal{Verdict: string(r.Verdict), Scopes: strings.Join(r.Scopes, " "), Account: called(r.Account), Cause: view.TroubleOf(r.Cause)}
	if r.Left != nil {
		v.Left = *r.Left
	}
	return v
}
