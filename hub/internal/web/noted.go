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
	"/keys/new":                    {"key.add", "key"},
	"/keys/:id/rotate":             {"key.rotate", "key"},
	"/keys/:id/revoke":             {"key.revoke", "key"},
	"/audit/verify":                {"audit.verify", "audit"},
	"/settings/calendar":           {"calendar.make", "calendar"},
	"/settings/calendar/withdraw":  {"calendar.withdraw", "calendar"},
	"/settings/sessions/:id/end":   {"person.end_session", "person"},
	"/settings/sessions/end":       {"person.end_sessions", "person"},
	"/logout":                      {"person.logout", "person"},
	"/escalations/:id/acknowledge": {"escalation.acknowledge", "escalation"},
	"/escalations/:id/end":         {"escalation.end_drill", "escalation"},
	"/deliveries/:id/resend":       {"delivery.resend", "delivery"},
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
