package web

import (
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// declineScopes decides that a connection is not to have the scopes that processes have
// reported as missing.
func (p *connectionPages) declineScopes(c *gin.Context) {
	conn, err := p.connections.DeclineScopes(c.Request.Context(), which(c))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.scopes_declined", Name: conn.Title})
	back(c, "/connections/"+url.PathEscape(conn.Name))
}
