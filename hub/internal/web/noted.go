package web

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/audit"
)

// noted are the acts that leave an audit record when they succeed, by route. What is
// not here is noted by whoever carries it out.
var noted = map[string]struct{ act, kind string }{
	"/services/new/:provider":       {"service.add", "service"},
	"/services/:name/edit":          {"service.edit", "service"},
	"/services/:name/delete":        {"service.delete", "service"},
	"/services/:name/publish":       {"service.publish", "service"},
	"/services/:name/unpublish":     {"service.unpublish", "service"},
	"/connections/new":              {"connection.add", "connection"},
	"/connections/import":           {"connection.import", "connection"},
	"/connections/import/table":     {"connection.import_table", "connection"},
	"/connections/:name/authorize":  {"connection.authorize", "connection"},
	"/connections/:name/link":       {"connection.link", "connection"},
	"/connections/:name/paste":      {"connection.paste", "connection"},
	"/connections/:name/renew":      {"connection.renew", "connection"},
	"/connections/:name/pause":      {"connection.pause", "connection"},
	"/connections/:name/tags":       {"connection.tag", "connection"},
	"/connections/:name/resume":     {"connection.resume", "connection"},
	"/connections/:name/revoke":     {"connection.revoke", "connection"},
	"/connections/:name/restore":    {"connection.restore", "connection"},
	"/connections/:name/offer/take": {"connection.take_offer", "connection"},
	"/connections/:name/offer/drop": {"connection.drop_offer", "connection"},
	"/connections/:name/codes":      {"connection.codes", "connection"},
	"/connections/:name/codes.json": {"connection.codes", "connection"},
	"/connections/:name/owner":      {"connection.owner", "connection"},
}

// note records a form that was carried out.
func (p *Pages) note(c *gin.Context) {
	c.Next()
	if c.Request.Method == http.MethodPost {
		p.counted.forget()
	}
	entry, there := noted[c.FullPath()]
	if !there || c.Request.Method != http.MethodPost || c.Writer.Status() >= http.StatusBadRequest {
		return
	}
	name := c.Param("name")
	for _, other := range []string{c.Param("id"), c.PostForm("name"), c.PostForm("title")} {
		if name == "" {
			name = other
		}
	}
	p.o.Audit.Record(context.WithoutCancel(c.Request.Context()), entry.act, audit.Object{Kind: entry.kind, Name: name})
}
