package api

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/data"
	"github.com/evergrant/evergrant/hub/internal/app/definitions"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/app/keys"
	"github.com/evergrant/evergrant/hub/internal/app/plugins"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/changes"
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
	Changes   *changes.Notifier
	Audit     *audit.Log
	// Connections, Grants and Services carry out the acts on them and record them.
	Connections *connections.Connections
	Grants      *grants.Grants
	Services    *services.Services
	// Pulls notes each token that is handed out; nil notes none.
	Pulls *audit.Pulls
	// Pulled is called for each answer to a pull; late is set for a token that had expired
	// when it was handed out. Optional.
	Pulled    func(result string, late bool)
	Logger    hclog.Logger
	PublicURL string
	Version   string
	// The acts that this API asks for.
	Keys    *keys.Keys
	Plugins *plugins.Plugins
	// Definitions describe services without code.
	Definitions *definitions.Definitions
	Data        *data.Data
	// Bulk carries out imports.
	Bulk *bulk.Runner
	// Ending is closed when the hub begins to stop: streams end then. Nil is never.
	Ending <-chan struct{}
	// MinTTL is what a pull gets that does not name min_ttl; 60 s.
	MinTTL time.Duration
	// TrashKeep is how long a deleted connection can be put back.
	TrashKeep time.Duration
	// Streams bounds the streams and long polls of a key and of all; nil is no bound.
	Streams *bounded.Held
}

// API serves the hub API.
type API struct {
	store       *store.Store
	access      *access.Access
	catalogue   *catalogue.Catalogue
	flow        *authflow.Flow
	source      *tokensource.Source
	now         func() time.Time // by the database's clock
	keys        *keys.Keys
	plugins     *plugins.Plugins
	definitions *definitions.Definitions
	data        *data.Data
	bulk        *bulk.Runner
	changes     *changes.Notifier
	audit       *audit.Log
	conns       *connections.Connections
	grants      *grants.Grants
	services    *services.Services
	pulls       *audit.Pulls
	pulled      func(result string, late bool)
	log         hclog.Logger
	publicURL   string
	version     string
	minTTL      time.Duration
	trashKeep   time.Duration
	ending      <-chan struct{}
	streams     *bounded.Held
	huma        huma.API

	mu      sync.Mutex
	touched *bounded.Map[string, time.Time] // of the last noted use, by key
}

// maxTouched bounds the keys of which the time of the last noted use is known. One that
// is not known is noted once more.
const maxTouched = 10_000

// bearer is the security requirement of every operation.
var bearer = []map[string][]string{{"apiKey": {}}}

// shapeErrors sets huma's hook once, for several hubs may start in a process.
var shapeErrors = sync.OnceFunc(func() { huma.NewError = fromHuma })

// New registers the API on a router.
func New(router gin.IRouter, engine *gin.Engine, o Options) *API {
	a := &API{
		store: o.Store, access: o.Access, catalogue: o.Catalogue, flow: o.Flow, source: o.Source, now: o.Source.Now,
		conns: o.Connections, grants: o.Grants, services: o.Services, keys: o.Keys, plugins: o.Plugins, definitions: o.Definitions, data: o.Data, bulk: o.Bulk,
		changes: o.Changes, audit: o.Audit, pulls: o.Pulls, pulled: o.Pulled,
		log: o.Logger, publicURL: o.PublicURL, version: o.Version, minTTL: o.MinTTL, trashKeep: o.TrashKeep, ending: o.Ending, streams: o.Streams, touched: bounded.New[string, time.Time](maxTouched),
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
	a.registerAdoption()
	a.registerProviders()
	a.registerServices()
	a.registerServiceKeys()
	a.registerConnections()
	a.registerTrash()
	a.registerAuthorizations()
	a.registerKeys()
	a.registerPlugins()
	a.registerDefinitions()
	a.registerAudit()
	a.registerData()
	a.registerBehind()
	a.registerTestCalls()
	complete(a.huma.OpenAPI())
	return a
}

func config(o Options) huma.Config {
	c := huma.DefaultConfig("Evergrant hub API", o.Version)
	c.Info.Description = "Pull valid access tokens by name; administer services, connections and API keys."
	c.Servers = []*huma.Server{{URL: o.PublicURL}}
	c.OpenAPIPath = "/api/v1/openapi"
	c.DocsPath = ""    // the usual viewers load scripts from elsewhere
	c.SchemasPath = "" // single schemas are not served
	c.CreateHooks = nil
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"apiKey": {Type: "http", Scheme: "bearer", Description: "An API key of the hub"},
	}
	return c
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
