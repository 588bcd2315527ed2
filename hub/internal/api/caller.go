package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

type keyInContext struct{}

// Operations of processes check their key by themselves, with the same read as
// the connection.
const (
	tokenOperation    = "pull-token"
	rejectedOperation = "reject-token"
	scopesOperation   = "report-insufficient-scope"
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
	case tokenOperation, rejectedOperation, scopesOperation, eventsOperation:
		process := huma.WithContext(ctx, audit.With(ctx.Context(), audit.Actor{Kind: audit.KindKey, Address: humagin.Unwrap(ctx).ClientIP()}))
		if op.OperationID == rejectedOperation || op.OperationID == scopesOperation {
			a.beforeBody(process, next)
			return
		}
		next(process)
		return
	}
	ctx.SetHeader("Cache-Control", "no-store")
	address := humagin.Unwrap(ctx).ClientIP()
	key, err := a.access.Authenticate(ctx.Context(), ctx.Header("Authorization"), address)
	if err == nil && !access.Has(key, scopeOf(op)) {
		err = access.ErrForbidden
		if op.Method != http.MethodGet {
			a.keys.TurnedAway(act.With(ctx.Context(), act.Key(key, address)), op.OperationID)
		}
	}
	if err != nil {
		a.writeError(ctx, a.fail(err))
		return
	}
	a.touchKey(ctx.Context(), key.ID, time.Now())
	within := context.WithValue(ctx.Context(), keyInContext{}, key)
	next(huma.WithContext(ctx, act.With(within, act.Key(key, address))))
}

type pullInContext struct{}

// beforeBody checks the key of a process whose request has a body before anything of that
// is read, so that a request without a valid key is answered before its body.
func (a *API) beforeBody(ctx huma.Context, next func(huma.Context)) {
	row, err := a.allowed(ctx.Context(), ctx.Header("Authorization"), ctx.Param("name"))
	if err != nil {
		_, err = a.handOut(nil, "", err)
		a.writeError(ctx, err)
		return
	}
	next(huma.WithContext(ctx, context.WithValue(ctx.Context(), pullInContext{}, row)))
}

// keyOf is the key of a request that authenticate let through.
func keyOf(ctx context.Context) peopledb.APIKey {
	key, _ := ctx.Value(keyInContext{}).(peopledb.APIKey)
	return key
}

// touchKey notes the use of a key, at most once a minute.
func (a *API) touchKey(ctx context.Context, id string, now time.Time) {
	a.mu.Lock()
	last, known := a.touched.Get(id)
	due := !known || now.Sub(last) >= time.Minute
	if due {
		a.touched.Put(id, now)
	}
	a.mu.Unlock()
	if !due {
		return
	}
	if err := a.store.People.TouchAPIKey(ctx, id, now); err != nil {
		a.log.Warn("record API key use failed", "key", id, "error", err)
	}
}
