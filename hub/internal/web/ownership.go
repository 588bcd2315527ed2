package web

import (
	"context"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// setOwner sets the owner of a connection, who gets its messages.
func (p *connectionPages) setOwner(c *gin.Context) {
	conn, _, ok := p.find(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	owner := c.PostForm("owner")
	if owner != "" {
		contacts, err := p.notifications.Contacts(ctx)
		if err != nil {
			p.fail(c, err)
			return
		}
		var there bool
		if owner, there = contactEntered(contacts, owner); !there {
			p.flash(c, view.Flash{Key: "flash.no_contact", Bad: true})
			back(c, "/connections/"+url.PathEscape(conn.Name))
			return
		}
	}
	if _, err := p.connections.SetOwner(ctx, which(c), owner); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.owner", Name: conn.Title})
	back(c, "/connections/"+url.PathEscape(conn.Name))
}

// ownership adds the owner of a connection, and the choice of owners, to its page.
func (p *connectionPages) ownership(ctx context.Context, v *view.Connection, connectionID string) (err error) {
	if v.Contacts, err = p.notifications.Contacts(ctx); err != nil {
		return err
	}
	v.Owner, err = p.connections.Owner(ctx, connectionID)
	return err
}
