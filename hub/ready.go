package hub

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/doctor"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

const (
	// readyFor is how long an answer is given again.
	readyFor = time.Second
	// readyTimeout bounds the checks.
	readyTimeout = 2 * time.Second
)

// readiness is what the hub needs to do its job, looked at once a second at most. A
// plugin that fails is no part of it: its services suffer, another hub would not help.
type readiness struct {
	mu   sync.Mutex
	at   time.Time
	last []readyCheck
}

// readyCheck is one check. Wrong is the text of /readyz; it is public, so it names no
// address, file or cause. The log has those.
type readyCheck struct {
	Name, Wrong string
	err         error
}

// checks looks at what the hub needs.
func (h *Hub) checks() []readyCheck {
	h.readiness.mu.Lock()
	defer h.readiness.mu.Unlock()
	r := &h.readiness
	if !r.at.IsZero() && time.Since(r.at) < readyFor {
		return r.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	key := h.store.Audit.KeyFits(ctx)
	if !errors.Is(key, auditdb.ErrOtherKey) {
		key = nil // no evidence of another key
	}
	now := []readyCheck{
		{Name: "database", Wrong: "the database cannot be reached", err: h.store.Ping(ctx)},
		{Name: "key", Wrong: "the key does not open what the database holds", err: key},
		{Name: "clock", Wrong: "clocks have stepped, so no token is renewed until they agree again", err: h.clockTrusted()},
		{Name: "journal", Wrong: "the journal of replies cannot be written", err: h.journal.Check()},
	}
	for i, c := range now {
		if c.err != nil && (r.last == nil || r.last[i].err == nil) {
			h.log.Error("not ready: "+c.Wrong, "error", c.err)
		} else if c.err == nil && r.last != nil && r.last[i].err != nil {
			h.log.Info("ready again", "check", c.Name)
		}
	}
	r.at, r.last = time.Now(), now
	return now
}

// readyChecks is checks for the metrics.
func (h *Hub) readyChecks() map[string]bool {
	holds := map[string]bool{}
	for _, c := range h.checks() {
		holds[c.Name] = c.err == nil
	}
	return holds
}

// ready answers whether the hub can do its job, with a line for each failed check.
func (h *Hub) ready(c *gin.Context) {
	var wrong strings.Builder
	for _, check := range h.checks() {
		if check.err != nil {
			wrong.WriteString(check.Name + ": " + check.Wrong + "\n")
		}
	}
	if wrong.Len() > 0 {
		c.String(http.StatusServiceUnavailable, wrong.String())
		return
	}
	c.String(http.StatusOK, "ready\n")
}

// health answers that the process is running. With a nonce it adds the instance proof: a
// hub with the same database and key can compute the same.
func (h *Hub) health(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	if nonce := c.Query("nonce"); nonce != "" && len(nonce) <= 64 {
		if proof, err := h.store.Audit.InstanceProof(c.Request.Context(), nonce); err == nil {
			c.Header(doctor.InstanceHeader, proof)
		}
	}
	c.String(http.StatusOK, "ok\n")
}
