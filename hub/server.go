package hub

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/evergrant/evergrant/hub/internal/api"
	"github.com/evergrant/evergrant/hub/internal/app/overview"
	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/hub/internal/mount"
	"github.com/evergrant/evergrant/hub/internal/web"
)

// serve answers requests with a handler; it begins to, or another one answered before.
func (h *Hub) serve(handler http.Handler) {
	h.front.Store(&handler)
	if h.server != nil {
		return
	}
	h.server = newServer(mount.Under(mount.Path(h.cfg.PublicURL), h))
	h.server.ErrorLog = h.log.Named("http").StandardLogger(nil)
	h.server.RegisterOnShutdown(sync.OnceFunc(func() { close(h.ending) }))
	h.work.Go(func() {
		var err error
		if h.certificate != nil {
			h.server.TLSConfig.GetCertificate = h.certificate.get
			err = h.server.ServeTLS(h.listener, "", "")
		} else {
			err = h.server.Serve(h.listener)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			h.failed <- err
		}
	})
}

// newServer bounds the time and size of requests, of every client. Answers have no bound:
// pulls wait, and streams have no end.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// handler is everything that the hub answers.
func (h *Hub) handler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	h.engine = engine
	engine.HandleMethodNotAllowed = true
	engine.ContextWithFallback = true
	_ = engine.SetTrustedProxies(h.cfg.TrustedProxies) // checked by config
	engine.Use(h.recovered, requestID, h.logged, h.instrument, secured(strings.HasPrefix(h.cfg.PublicURL, "https://")), h.bounded)
	streams := bounded.NewHeld(h.cfg.Limits.StreamsPerKey, h.cfg.Limits.Streams)
	engine.GET("/healthz", h.health)
	engine.GET("/readyz", h.ready)
	engine.GET("/metrics", h.scraped)
	api.New(engine, engine, api.Options{
		Store: h.store, Access: h.access, Catalogue: h.catalogue, Flow: h.flow, Source: h.source, Changes: &h.changes, Audit: h.audit, Pulls: h.pulls, Pulled: h.counts.Pulled, TrashKeep: h.cfg.Trash.Keep,
		Connections: h.connections, Grants: h.grants, Services: h.services,
		Logger: h.log.Named("api"), PublicURL: h.cfg.PublicURL, Version: h.version, MinTTL: h.cfg.Renewal.MinTTL, Ending: h.ending, Streams: streams,
		Keys: h.acts.keys, Plugins: h.acts.plugins, Definitions: h.acts.definitions, Data: h.acts.data, Bulk: h.bulk,
	})
	pages := web.New(web.Options{
		Access: h.access, Catalogue: h.catalogue, Flow: h.flow, Source: h.source, Audit: h.audit,
		Changes: &h.changes, Ending: h.ending, Bulk: h.bulk, TrashKeep: h.cfg.Trash.Keep, Escalation: h.escalates, Damages: h.journal.Damages, Backups: h.backupState, Machine: web.Machine{Identity: h.identity, Clock: h.clock, Data: h.data},
		Overview: overview.New(h.store), Connections: h.connections, Grants: h.grants, Services: h.services,
		Logger: h.log.Named("web"), PublicURL: h.cfg.PublicURL, Version: h.version,
		OIDC:   h.signIn(),
		People: h.acts.people, Keys: h.acts.keys, Plugins: h.acts.plugins, Definitions: h.acts.definitions, Notifications: h.acts.notifications, Data: h.acts.data,
		SessionIdle: h.cfg.Session.Idle, SessionAbsolute: h.cfg.Session.Absolute, Streams: streams,
	})
	h.pages = pages
	pages.Register(engine)
	none := func(page gin.HandlerFunc, status int, title string) gin.HandlerFunc {
		return func(c *gin.Context) {
			if strings.HasPrefix(c.Request.URL.Path, "/api/") {
				api.WriteProblem(c, status, title)
				return
			}
			page(c)
		}
	}
	engine.NoRoute(none(pages.NotFound, http.StatusNotFound, "There is no such address in the hub API"))
	engine.NoMethod(none(pages.NotFound, http.StatusMethodNotAllowed, "This address does not take this method"))
	return pages.Sessions(engine)
}

// checkPath refuses a path of the public address that one of the hub's own routes has: a
// proxy may take it off, and the hub could not tell then whether it did.
func (h *Hub) checkPath() error {
	path := mount.Path(h.cfg.PublicURL)
	var routes []string
	for _, r := range h.engine.Routes() {
		routes = append(routes, r.Path)
	}
	if route, taken := mount.Take(path, routes); taken {
		return fmt.Errorf("public_url has the path %s, and %s is an address of the hub itself: choose another path, for example /evergrant", path, route)
	}
	return nil
}

// recovered turns a panic into an error of one request.
func (h *Hub) recovered(c *gin.Context) {
	defer func() {
		if r := recover(); r != nil {
			h.log.Error("request panicked", "path", c.FullPath(), "request_id", c.GetString(requestIDKey), "stack", string(debug.Stack()))
			if !c.Writer.Written() {
				api.WriteProblem(c, http.StatusInternalServerError, "Internal error; the hub's log has the reason")
			}
			c.Abort()
		}
	}()
	c.Next()
}

const requestIDKey = "request_id"

// requestID gives each request a name that its log lines share.
func requestID(c *gin.Context) {
	id := uuid.NewString()[:13]
	c.Set(requestIDKey, id)
	c.Header("X-Request-Id", id)
}

// logged writes a line for each request: the route, never the query, which may
// hold a code or a state.
func (h *Hub) logged(c *gin.Context) {
	start := time.Now()
	c.Next()
	if !h.log.IsDebug() && c.Writer.Status() < http.StatusInternalServerError {
		return
	}
	h.log.Named("http").Debug("request", "method", c.Request.Method, "route", c.FullPath(), "status", c.Writer.Status(),
		"took", time.Since(start).Round(time.Microsecond), "from", c.ClientIP(), "request_id", c.GetString(requestIDKey))
}

// secured sets the headers that every answer has; pages add their policy.
func secured(https bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
	}
}

// addressOf is where a browser on this machine finds a listener.
func addressOf(addr net.Addr, https bool) string {
	scheme := "http://"
	if https {
		scheme = "https://"
	}
	host := "localhost"
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return scheme + addr.String()
	}
	if !tcp.IP.IsLoopback() && !tcp.IP.IsUnspecified() {
		host = tcp.IP.String()
	}
	return scheme + net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}
