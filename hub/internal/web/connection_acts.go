package web

import (
	"context"
	"errors"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// act does something to the connection in the path and tells how it went.
func (p *Pages) act(c *gin.Context, flash string, do func(context.Context, connection.Connection) (connection.Connection, error)) {
	ctx := c.Request.Context()
	conn, err := p.o.Store.ConnectionByName(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	after, err := do(ctx, conn)
	if refused, is := errors.AsType[*tokensource.RefusedError](err); is {
		f := view.Flash{Key: "flash.renewing", Name: conn.Title}
		if !refused.InProgress {
			f = view.Flash{Key: "flash.not_sent", Name: conn.Title, Bad: true, Said: refused.Message}
		}
		p.flash(c, f)
		back(c, "/connections/"+url.PathEscape(conn.Name))
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	f := view.Flash{Key: flash, Name: conn.Title}
	if flash == "flash.renewed" && after.Generation == conn.Generation {
		f = view.Flash{Key: "flash.not_renewed", Name: conn.Title, Bad: true}
		if after.Failure != nil {
			f.Said = after.Failure.Message
		}
	}
	p.flash(c, f)
	back(c, "/connections/"+url.PathEscape(conn.Name))
}

func (p *Pages) renew(c *gin.Context) {
	p.act(c, "flash.renewed", func(ctx context.Context, conn connection.Connection) (connection.Connection, error) {
		return p.o.Source.Ask(ctx, conn, tokensource.UsualWait)
	})
}

func (p *Pages) pause(c *gin.Context) {
	p.act(c, "flash.paused", func(ctx context.Context, conn connection.Connection) (connection.Connection, error) {
		return p.o.Catalogue.Pause(ctx, conn.ID)
	})
}

func (p *Pages) resume(c *gin.Context) {
	p.act(c, "flash.resumed", func(ctx context.Context, conn connection.Connection) (connection.Connection, error) {
		return p.o.Catalogue.Resume(ctx, conn.ID)
	})
}

func (p *Pages) revoke(c *gin.Context) {
	ctx := c.Request.Context()
	conn, err := p.o.Store.ConnectionByName(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	revoked, err := p.o.Catalogue.Revoke(ctx, conn.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	f := view.Flash{Key: "flash.revoked", Name: conn.Title}
	if !revoked.Supported && conn.Granting() {
		f.Key = "flash.revoked_no_service"
	}
	if revoked.Err != nil {
		f = view.Flash{Key: "flash.revoked_local", Name: conn.Title, Bad: true, Said: revoked.Err.Error()}
	}
	p.flash(c, f)
	back(c, "/connections/"+url.PathEscape(conn.Name))
}

// restore puts the last token set back that may still be good.
func (p *Pages) restore(c *gin.Context) {
	ctx := c.Request.Context()
	conn, err := p.o.Store.ConnectionByName(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	u, _ := person(c)
	_, err = p.o.Catalogue.Restore(ctx, conn.ID, 0, u.Login)
	f := view.Flash{Key: "flash.restored", Name: conn.Title}
	if refused, is := errors.AsType[*catalogue.RestoreRefusedError](err); is {
		f = view.Flash{Key: "flash.not_restored", Name: conn.Title, Bad: true, Said: refused.Cause.Error()}
	} else if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, f)
	back(c, "/connections/"+url.PathEscape(conn.Name))
}
