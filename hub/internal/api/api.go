package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/feed"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// Options of an API.
type Options struct {
	Store     *store.Store
	Access    *access.Access
	Catalogue *catalogue.Catalogue
	Flow      *authflow.Flow
	Source    *tokensource.Source
	Installer *installer.Installer
	Changes   *feed.Feed
	Audit     *audit.Log
	// Pulls notes each token that is handed out; nil notes none.
	Pulls *audit.Pulls
	// Pulled is told of each answer to a pull; late is a token that had expired when it
	// was handed out. Nil is nobody.
	Pulled    func(result string, late bool)
	Logger    hclog.Logger
	PublicURL string
	Version   string
	// Ending is closed when the hub begins to stop: streams end then. Nil is never.
	Ending <-chan struct{}
	// MinTTL is what a pull gets that does not name min_ttl; 60 s.
	MinTTL time.Duration
}

// API serves the hub API.
type API struct {
	store     *store.Store
	access    *access.Access
	catalogue *catalogue.Catalogue
	flow      *authflow.Flow
	source    *tokensource.Source
	installer *installer.Installer
	changes   *feed.Feed
	audit     *audit.Log
	pulls     *audit.Pulls
	pulled    func(result string, late bool)
	log       hclog.Logger
	publicURL string
	version   string
	minTTL    time.Duration
	ending    <-chan struct{}
	huma      huma.API

	mu      sync.Mutex
	touched map[string]time.Time // of the last noted use, by key
}

// bearer is the security requirement of every operation.
var bearer = []map[string][]string{{"apiKey": {}}}

// shapeErrors sets huma's hook once, for several hubs may start in a process.
var shapeErrors = sync.OnceFunc(func() { huma.NewError = fromHuma })

// New registers the API on a router.
func New(router gin.IRouter, engine *gin.Engine, o Options) *API {
	a := &API{
		store: o.Store, access: o.Access, catalogue: o.Catalogue, flow: o.Flow, source: o.Source, installer: o.Installer,
		changes: o.Changes, audit: o.Audit, pulls: o.Pulls, pulled: o.Pulled,
		log: o.Logger, publicURL: o.PublicURL, version: o.Version, minTTL: o.MinTTL, ending: o.Ending, touched: map[string]time.Time{},
	}
	if a.minTTL <= 0 {
		a.minTTL = time.Minute
	}
	if a.pulled == nil {
		a.pulled = func(string, bool) {}
	}
	shapeErrors()
	a.huma = humagin.NewWithGroup(engine, router.Group(""), config(o))
	a.huma.UseMiddleware(a.authenticate)
	a.registerToken()
	a.registerEvents()
	a.registerIncidents()
	a.registerProviders()
	a.registerServices()
	a.registerConnections()
	a.registerAuthorizations()
	a.registerKeys()
	a.registerPlugins()
	a.registerAudit()
	return a
}

func config(o Options) huma.Config {
	c := huma.DefaultConfig("Evergrant hub API", o.Version)
	c.Info.Description = "Pull valid access tokens by name; administer services, connections and API keys."
	c.Servers = []*huma.Server{{URL: o.PublicURL}}
	c.OpenAPIPath = "/api/v1/openapi"
	c.DocsPath = ""    // the usual viewers load scripts from elsewhere
	c.SchemasPath = "" // and nobody needs single schemas
	c.CreateHooks = nil
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"apiKey": {Type: "http", Scheme: "bearer", Description: "An API key of the hub"},
	}
	return c
}

type keyInContext struct{}

// Operations of processes check their key by themselves, with the same read as
// the connection.
const (
	tokenOperation    = "pull-token"
	rejectedOperation = "reject-token"
	eventsOperation   = "stream-events"
)

// scopeOf is what a key needs for an operation, besides that an administrator's key
// may do everything.
func scopeOf(op *huma.Operation) string {
	switch op.OperationID {
	case "list-connections", "get-connection":
		return access.ScopeConnectionRead
	case "list-audit", "verify-audit":
		return access.ScopeAuditRead
	default:
		return access.ScopeAdmin
	}
}

// authenticate lets keys through that have the scope of the operation.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	switch op.OperationID {
	case tokenOperation, rejectedOperation, eventsOperation:
		next(huma.WithContext(ctx, audit.With(ctx.Context(), audit.Actor{Kind: audit.KindKey, Address: humagin.Unwrap(ctx).ClientIP()})))
		return
	}
	ctx.SetHeader("Cache-Control", "no-store")
	address := humagin.Unwrap(ctx).ClientIP()
	key, err := a.access.Authenticate(ctx.Context(), ctx.Header("Authorization"), address)
	if err == nil && !access.Has(key, scopeOf(op)) {
		err = access.ErrForbidden
	}
	if err != nil {
		a.writeError(ctx, a.fail(err))
		return
	}
	a.touchKey(ctx.Context(), key.ID, time.Now())
	actor := audit.Actor{Kind: audit.KindKey, Name: key.Title, Address: address}
	within := context.WithValue(context.WithValue(ctx.Context(), keyInContext{}, key), madeInContext{}, new(string))
	acting := huma.WithContext(ctx, audit.With(within, actor))
	next(acting)
	a.note(acting, op)
}

// note records an act of a key that changed something. Acts on plugins and on many
// connections are noted by whoever carries them out.
func (a *API) note(ctx huma.Context, op *huma.Operation) {
	if op.Method == http.MethodGet || ctx.Status() >= http.StatusBadRequest || a.audit == nil || strings.HasPrefix(op.Path, "/api/v1/plugin") {
		return
	}
	verb, kind, _ := strings.Cut(op.OperationID, "-")
	if kind == "api-key" { // the pages' words for the same acts
		kind = "key"
	}
	if verb == "create" {
		verb = "add"
	}
	name := ctx.Param("name")
	if made, ok := ctx.Context().Value(madeInContext{}).(*string); ok && *made != "" {
		name = *made
	}
	if name == "" {
		name = ctx.Param("id")
	}
	a.audit.Record(ctx.Context(), kind+"."+verb, audit.Object{Kind: kind, Name: name})
}

func (a *API) writeError(ctx huma.Context, err error) {
	if h, ok := err.(huma.HeadersError); ok { //nolint:errorlint // made by fail just now
		for name, values := range h.GetHeaders() {
			for _, v := range values {
				ctx.AppendHeader(name, v)
			}
		}
	}
	p, ok := asProblem(err)
	if !ok {
		p = problem(http.StatusInternalServerError, "internal", "Internal error", "")
	}
	ctx.SetHeader("Content-Type", "application/problem+json")
	ctx.SetStatus(p.Status)
	_ = a.huma.Marshal(ctx.BodyWriter(), "application/json", p) // the client may be gone
}

// madeInContext is where an operation leaves the name of what it has added.
type madeInContext struct{}

// madeIs tells the audit record what was added.
func madeIs(ctx context.Context, name string) {
	if made, ok := ctx.Value(madeInContext{}).(*string); ok {
		*made = name
	}
}

// caller names the API key of a request for records of who did what.
func caller(ctx context.Context) string {
	return "key:" + keyOf(ctx).ID
}

// keyOf is the key of a request that authenticate let through.
func keyOf(ctx context.Context) store.APIKey {
	key, _ := ctx.Value(keyInContext{}).(store.APIKey)
	return key
}

// touchKey notes the use of a key, at most once a minute.
func (a *API) touchKey(ctx context.Context, id string, now time.Time) {
	a.mu.Lock()
	due := now.Sub(a.touched[id]) >= time.Minute
	if due {
		a.touched[id] = now
	}
	a.mu.Unlock()
	if !due {
		return
	}
	if err := a.store.TouchAPIKey(ctx, id, now); err != nil {
		a.log.Warn("the use of an API key could not be noted", "key", id, "error", err)
	}
}

// operation is a shorthand for administrators' operations.
func operation(id, method, path, summary, tag string, errs ...int) huma.Operation {
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{tag}, Security: bearer,
		Errors: append([]int{401, 403, 500}, errs...),
	}
	slices.Sort(op.Errors)
	switch {
	case method == http.MethodDelete:
		op.DefaultStatus = http.StatusNoContent
	case method == http.MethodPost && len(errs) > 0 && slices.Contains(errs, http.StatusUnprocessableEntity) && path[len(path)-1] != '}':
		op.DefaultStatus = http.StatusOK
	}
	return op
}
