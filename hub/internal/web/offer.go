package web

import (
	"context"
	"errors"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// offered is the authorization that is kept aside for a connection; nil if there is none.
func offered(o *authdb.Offer) *view.Offered {
	if o == nil {
		return nil
	}
	v := &view.Offered{Reason: o.Reason, Part: o.Part, Until: o.ExpiresAt}
	if life := o.Token.ExpiresIn; life != nil && *life > 0 && o.Token.RefreshToken == "" {
		v.Ends = o.Asked.Add(*life)
	}
	return v
}

// takeOffer replaces a connection's grant by the authorization that is kept aside.
func (p *connectionPages) takeOffer(c *gin.Context) {
	p.decideOffer(c, "flash.taken_over", p.connections.TakeOffer)
}

// dropOffer forgets the authorization that is kept aside.
func (p *connectionPages) dropOffer(c *gin.Context) {
	p.decideOffer(c, "flash.offer_dropped", p.connections.DropOffer)
}

func (p *connectionPages) decideOffer(c *gin.Context, flash string, do func(context.Context, connections.Which) (connection.Connection, error)) {
	conn, _, ok := p.find(c)
	if !ok {
		return
	}
	f := view.Flash{Key: flash, Name: conn.Title}
	if _, err := do(c.Request.Context(), which(c)); errors.Is(err, authflow.ErrNoOffer) {
		f = view.Flash{Key: "flash.offer_gone", Name: conn.Title, Bad: true}
	} else if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, f)
	back(c, "/connections/"+url.PathEscape(conn.Name))
}
