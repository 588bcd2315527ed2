package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// trashPages delete connections and put them back.
type trashPages struct {
	*kit
	*directory
	connections *connections.Connections
	trashKeep   time.Duration
}

func newTrashPages(k *kit, d *directory, o Options) *trashPages {
	return &trashPages{kit: k, directory: d, connections: o.Connections, trashKeep: o.TrashKeep}
}

func (p *trashPages) routes(in inside) {
	manage := in.may(access.ActManage)
	manage.POST("/connections/:name/delete", p.deleteConnection)
	manage.GET("/trash", p.trash)
	manage.POST("/trash/:id/put-back", p.putBack)
	manage.POST("/trash/:id/remove", p.removeTrashed)
}

// deleteConnection moves a connection into the trash, after revoking its grant if requested.
func (p *trashPages) deleteConnection(c *gin.Context) {
	grant := catalogue.WithGrant(ticked(c, "revoke"))
	conn, revoked, err := p.deleteChosen(c, grant)
	if err != nil {
		p.fail(c, err)
		return
	}
	f := view.Flash{Key: "flash.deleted", Name: conn.Title}
	switch {
	case revoked.Err != nil:
		f = view.Flash{Key: "flash.deleted_local", Name: conn.Title, Bad: true, Said: revoked.Err.Error()}
	case grant == catalogue.RevokeGrant && !revoked.Supported && conn.Granting():
		f.Key = "flash.deleted_no_service"
	case grant == catalogue.RevokeGrant && revoked.Sent:
		f.Key = "flash.deleted_revoked"
	}
	p.flash(c, f)
	back(c, "/connections")
}

// deleteChosen deletes a connection, with its parts if that is ticked. revoked is the first
// result that is not as wanted, else that of the connection itself.
func (p *trashPages) deleteChosen(c *gin.Context, grant catalogue.WithGrant) (conn connection.Connection, revoked catalogue.Revoked, err error) {
	if !ticked(c, "parts") {
		return p.connections.Delete(c.Request.Context(), which(c), grant)
	}
	deleted, err := p.connections.DeleteWithParts(c.Request.Context(), which(c), grant)
	if err != nil {
		return conn, revoked, err
	}
	for _, d := range deleted {
		if conn = d.Connection; revoked.Err == nil {
			revoked = d.Revoked
		}
	}
	return conn, revoked, nil
}

// trash lists deleted connections.
func (p *trashPages) trash(c *gin.Context) {
	ctx := c.Request.Context()
	refs, err := p.serviceRefs(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Trash{Query: strings.TrimSpace(c.Query("q")), Keep: p.trashKeep}
	f := grantdb.TrashFilter{Query: v.Query, AfterID: c.Query("after"), Limit: pageSize + 1}
	if at, err := strconv.ParseInt(c.Query("at"), 10, 64); err == nil {
		f.AfterAt = time.UnixMilli(at)
	}
	found, err := p.connections.Trash(ctx, f)
	if err == nil {
		v.Found, err = p.connections.CountTrash(ctx, v.Query)
	}
	if err == nil {
		v.Total, err = p.connections.CountTrash(ctx, "")
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	asked := url.Values{}
	if v.Query != "" {
		asked.Set("q", v.Query)
	}
	v.Address = asked.Encode()
	if len(found) > pageSize {
		found = found[:pageSize]
		last := found[pageSize-1]
		asked.Set("after", last.ID)
		asked.Set("at", strconv.FormatInt(last.TrashedAt.UnixMilli(), 10))
		v.Next = "/trash?" + asked.Encode()
	}
	ids := make([]string, len(found))
	for i, t := range found {
		ids[i] = t.ID
	}
	parts, err := p.connections.CountParts(ctx, ids)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, t := range found {
		row := p.trashRow(t, refs)
		row.Parts = parts[t.ID]
		v.Rows = append(v.Rows, row)
	}
	p.render(c, http.StatusOK, page.Trash(p.shell(c, view.SectionConnections), v))
}

func (p *trashPages) trashRow(t grantdb.Trashed, refs map[string]view.ServiceRef) view.TrashRow {
	return view.TrashRow{
		ID: t.ID, Name: t.Name, Title: t.Title, Account: t.Account.Name, Service: refs[t.ServiceID], TrashedAt: t.TrashedAt, RemovedAt: t.TrashedAt.Add(p.trashKeep),
		By: t.TrashedBy, Granting: t.Granting(), Rotates: t.Policy.Rotates(), GrantEnds: t.Tokens.RefreshExpiresAt,
	}
}

// putBack takes a connection out of the trash. If its name is in use, a form asks for another.
func (p *trashPages) putBack(c *gin.Context) {
	conn, err := p.connections.PutBack(c.Request.Context(), c.Param("id"), c.PostForm("name"))
	if problems := problemsOf(err); problems != nil {
		p.askName(c, problems)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.put_back", Name: conn.Title})
	back(c, "/connections/"+url.PathEscape(conn.Name))
}

func (p *trashPages) askName(c *gin.Context, problems view.Problems) {
	refs, err := p.serviceRefs(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	t, err := p.connections.Trashed(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	row := p.trashRow(t, refs)
	row.Problems, row.Entered = problems, c.PostForm("name")
	if row.Entered == "" {
		row.Entered = row.Name
	}
	p.render(c, http.StatusUnprocessableEntity, page.PutBack(p.shell(c, view.SectionConnections), row))
}

// removeTrashed removes a connection from the trash permanently.
func (p *trashPages) removeTrashed(c *gin.Context) {
	t, revoked, err := p.connections.Remove(c.Request.Context(), c.Param("id"))
	if errors.Is(err, store.ErrNotFound) {
		back(c, "/trash")
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	f := view.Flash{Key: "flash.removed", Name: t.Title}
	if revoked.Err != nil {
		f = view.Flash{Key: "flash.removed_local", Name: t.Title, Bad: true, Said: revoked.Err.Error()}
	}
	p.flash(c, f)
	back(c, "/trash")
}
