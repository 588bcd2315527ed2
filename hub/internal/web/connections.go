package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// rows reads every connection for the overview and the list.
func (p *Pages) rows(c *gin.Context) ([]view.ConnectionRow, map[string]view.ServiceRef, error) {
	refs, err := p.serviceRefs(c)
	if err != nil {
		return nil, nil, err
	}
	connections, err := p.o.Store.Connections(c.Request.Context(), store.Filter{})
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	rows := make([]view.ConnectionRow, 0, len(connections))
	for _, conn := range connections {
		rows = append(rows, view.ConnectionRowOf(conn, refs[conn.ServiceID], now))
	}
	return rows, refs, nil
}

func (p *Pages) overview(c *gin.Context) {
	rows, refs, err := p.rows(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.OverviewOf(rows, len(refs))
	if v.Incidents, v.Over, err = p.incidents(c.Request.Context()); err != nil {
		p.fail(c, err)
		return
	}
	p.render(c, http.StatusOK, page.Overview(p.shell(c, view.SectionOverview), v))
}

// pageSize is how many connections a page of the list shows.
const pageSize = 100

func (p *Pages) connections(c *gin.Context) {
	rows, refs, err := p.rows(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Connections{Counts: view.CountsOf(rows), Query: c.Query("q"), Status: connection.Status(c.Query("status")), Services: len(refs)}
	for _, ref := range refs {
		if ref.Name == c.Query("service") {
			v.Service = ref
		}
	}
	after := c.Query("after")
	for _, row := range rows {
		switch {
		case !row.Matches(v.Query), v.Status != "" && row.Status != v.Status, v.Service.Name != "" && row.Service.Name != v.Service.Name, row.Name <= after:
			continue
		}
		if len(v.Rows) == pageSize {
			query := c.Request.URL.Query()
			query.Set("after", v.Rows[pageSize-1].Name)
			v.Next = "/connections?" + query.Encode()
			break
		}
		v.Rows = append(v.Rows, row)
	}
	p.render(c, http.StatusOK, page.Connections(p.shell(c, view.SectionConnections), v))
}

func (p *Pages) connectionForm(c *gin.Context) {
	p.showConnectionForm(c, http.StatusOK, view.ConnectionForm{Service: c.Query("service")})
}

func (p *Pages) showConnectionForm(c *gin.Context, status int, form view.ConnectionForm) {
	services, err := p.o.Store.Services(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, s := range services {
		form.Services = append(form.Services, p.serviceRef(s))
		if form.Service == "" && len(services) == 1 {
			form.Service = s.Name
		}
	}
	p.render(c, status, page.NewConnection(p.shell(c, view.SectionConnections), form))
}

func (p *Pages) addConnection(c *gin.Context) {
	ctx := c.Request.Context()
	form := view.ConnectionForm{Service: c.PostForm("service"), Name: c.PostForm("name"), Title: c.PostForm("title")}
	s, err := p.o.Store.ServiceByName(ctx, form.Service)
	if err != nil {
		p.fail(c, err)
		return
	}
	conn, err := p.o.Catalogue.AddConnection(ctx, s.ID, form.Name, form.Title)
	if form.Problems = problemsOf(err); form.Problems != nil {
		p.showConnectionForm(c, http.StatusUnprocessableEntity, form)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	if c.PostForm("then") == "authorize" {
		p.depart(c, conn, s)
		return
	}
	back(c, "/connections/"+url.PathEscape(conn.Name))
}

func (p *Pages) connection(c *gin.Context) { p.showConnection(c, http.StatusOK, nil) }

// showConnection shows a connection; paste is what came of a pasted address.
func (p *Pages) showConnection(c *gin.Context, status int, paste *view.Result) {
	conn, s, ok := p.find(c)
	if !ok {
		return
	}
	v := view.ConnectionOf(conn, s, p.iconOf(s.Provider), p.o.PublicURL, time.Now())
	v.Paste = paste
	p.render(c, status, page.Connection(p.shell(c, view.SectionConnections), v))
}

// act does something to the connection in the path and tells how it went.
func (p *Pages) act(c *gin.Context, flash string, do func(context.Context, connection.Connection) (connection.Connection, error)) {
	ctx := c.Request.Context()
	conn, err := p.o.Store.ConnectionByName(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	after, err := do(ctx, conn)
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
		return p.o.Source.RenewNow(ctx, conn.ID, conn.Generation)
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
	if revoked.Err != nil {
		f = view.Flash{Key: "flash.revoked_local", Name: conn.Title, Bad: true, Said: revoked.Err.Error()}
	}
	p.flash(c, f)
	back(c, "/connections/"+url.PathEscape(conn.Name))
}

func (p *Pages) deleteConnection(c *gin.Context) {
	ctx := c.Request.Context()
	conn, err := p.o.Store.ConnectionByName(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	revoked, err := p.o.Catalogue.Delete(ctx, conn.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	f := view.Flash{Key: "flash.deleted", Name: conn.Title}
	if revoked.Err != nil {
		f = view.Flash{Key: "flash.deleted_local", Name: conn.Title, Bad: true, Said: revoked.Err.Error()}
	}
	p.flash(c, f)
	back(c, "/connections")
}
