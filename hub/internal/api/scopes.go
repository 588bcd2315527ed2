package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// ScopesInput says that the service refused a request for lack of scopes.
type ScopesInput struct {
	Name string `path:"name" doc:"The connection's name"`
	Body struct {
		Scopes []string `json:"scopes" minItems:"1" maxItems:"20" doc:"The scopes that the service asked for, as the scope attribute of its WWW-Authenticate header names them (RFC 6750 section 3)"`
	}
}

// ScopesReported is the answer to such a report.
type ScopesReported struct {
	Missing []string `json:"missing_scopes" doc:"All scopes that were requested, or reported as missing, and that the grant does not have; a person has to grant them. Empty if the grant has what was reported"`
}

func (a *API) registerScopes() {
	huma.Register(a.huma, huma.Operation{
		OperationID: scopesOperation, Method: http.MethodPost, Path: "/api/v1/connections/{name}/token/insufficient-scope",
		Summary: "Tell that the service answered insufficient_scope", Tags: []string{"Tokens"}, Security: bearer,
		Description: "The token stays in force. The owner of the connection is told once, and the next authorization asks for these scopes beside all " +
			"that were requested and granted so far. Reporting the same scopes again changes nothing and tells nobody, so a process may report each such answer. " +
			"A new token has them once its scope says so.",
		Errors: []int{401, 403, 404, 422, 500, 503},
	}, a.insufficientScope)
}

func (a *API) insufficientScope(ctx context.Context, in *ScopesInput) (*one[ScopesReported], error) {
	row, _ := ctx.Value(pullInContext{}).(store.PullRow) // beforeBody has checked the key
	key, err := a.store.People.APIKey(ctx, row.Key.ID)
	if err != nil {
		return nil, a.fail(err)
	}
	caller := act.With(ctx, act.Key(key, audit.From(ctx).Address))
	c, err := a.conns.NeedScopes(caller, connections.Which{ID: row.ConnectionID, Name: in.Name}, in.Body.Scopes)
	if err != nil {
		return nil, a.fail(err)
	}
	missing := c.MissingScopes()
	if missing == nil {
		missing = []string{}
	}
	return &one[ScopesReported]{ScopesReported{Missing: missing}}, nil
}
