package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// which is the connection in the path.
func which(c *gin.Context) connections.Which { return connections.Named(c.Param("name")) }

// act applies do to the connection in the path and reports the outcome in a flash message.
func (p *connectionPages) act(c *gin.Context, flash string, do func(context.Context, connections.Which) (before, after connection.Connection, err error)) {
	conn, after, err := do(c.Request.Context(), which(c))
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

func (p *connectionPages) renew(c *gin.Context) { p.act(c, "flash.renewed", p.connections.Renew) }

func (p *connectionPages) pause(c *gin.Context) { p.act(c, "flash.paused", p.connections.Pause) }

func (p *connectionPages) resume(c *gin.Context) { p.act(c, "flash.resumed", p.connections.Resume) }

func (p *connectionPages) revoke(c *gin.Context) {
	conn, revoked, err := p.connections.Revoke(c.Request.Context(), which(c))
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

// restore puts back the last token set that may still be valid.
func (p *connectionPages) restore(c *gin.Context) {
	conn, _, err := p.connections.Restore(c.Request.Context(), which(c), 0)
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

// paste finishes an authorization with the address that the service redirected to.
func (p *connectionPages) paste(c *gin.Context) {
	conn, _, ok := p.find(c)
	if !ok {
		return
	}
	finished, err := p.grants.Paste(c.Request.Context(), conn.Name, c.PostForm("pasted"))
	if failure, is := errors.AsType[*authflow.Failure](err); is {
		result := p.granting.resultOf(c, failure)
		p.showConnection(c, http.StatusUnprocessableEntity, &result)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: authorizedKey(finished), Name: finished.Connection.Title})
	back(c, "/connections/"+url.PathEscape(conn.Name))
}
