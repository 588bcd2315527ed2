package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// RejectedInput says that the service refused a token.
type RejectedInput struct {
	Name string `path:"name" doc:"The connection's name"`
	Body struct {
		Generation int64 `json:"generation" minimum:"1" doc:"The generation of the token that the service rejected"`
	}
}

func (a *API) registerRejected() {
	huma.Register(a.huma, huma.Operation{
		OperationID: rejectedOperation, Method: http.MethodPost, Path: "/api/v1/connections/{name}/token/rejected",
		Summary: "Tell that the service rejected a token, and get the next one", Tags: []string{"Tokens"}, Security: bearer,
		Description: "If the rejected generation is still the current one, it is renewed, once for all who say so; otherwise the newer token is " +
			"returned at once. A token that is only a few seconds old is not renewed again: 429 with Retry-After.",
		Errors: []int{401, 403, 404, 409, 422, 429, 500, 502, 503},
	}, a.rejected)
}

func (a *API) rejected(ctx context.Context, in *RejectedInput) (*TokenOutput, error) {
	row, _ := ctx.Value(pullInContext{}).(store.PullRow) // beforeBody has checked the key
	c, err := a.store.Grants.Connection(ctx, row.ConnectionID)
	if err != nil {
		return nil, a.fail(err)
	}
	if in.Body.Generation > c.Generation {
		return nil, problem(http.StatusUnprocessableEntity, "invalid-fields", "There is no such generation yet",
			"Send the generation that came with the rejected token.")
	}
	pulled, err := a.source.Rejected(ctx, c, in.Body.Generation, tokensource.UsualWait)
	return a.handOut(pulled, "", err)
}
