package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/testcall"
)

// TestCallBody names a test call.
type TestCallBody struct {
	Name string `json:"name,omitempty" doc:"One of the test calls that the provider declares; the first one if it is left out"`
}

// TestCallAnswer is what a service answered.
type TestCallAnswer struct {
	Name    string `json:"name"`
	Status  int    `json:"status" doc:"HTTP status of the service; 0 if there was no answer"`
	Failure string `json:"failure,omitempty" doc:"Why there was no answer"`
	Body    string `json:"body" doc:"The answer, at most 4 KiB, without the secrets of the connection"`
	Cut     bool   `json:"cut,omitempty" doc:"Whether only its beginning is there"`
	TookMS  int64  `json:"took_ms" doc:"How long the service took to answer, in milliseconds"`
}

// testCallInput is a request of a test call.
type testCallInput struct {
	NameInput
	Body *TestCallBody
}

func (a *API) registerTestCalls() {
	op := operation("test-connection", http.MethodPost, "/api/v1/connections/{name}/test-call", "Call the service's API with the current token and show the answer", "Connections", 404, 409, 422, 500, 502, 503)
	huma.Register(a.huma, op, func(ctx context.Context, in *testCallInput) (*one[TestCallAnswer], error) {
		name := "" // the first one
		if in.Body != nil {
			name = in.Body.Name
		}
		answer, err := a.conns.Test(ctx, connections.Named(in.Name), name)
		if errors.Is(err, testcall.ErrUnknown) {
			return nil, problem(http.StatusUnprocessableEntity, "unknown-test-call", "There is no such test call", "The provider of this connection declares no test call of that name.")
		}
		if err != nil {
			return nil, a.fail(err)
		}
		return &one[TestCallAnswer]{TestCallAnswer{
			Name: answer.Call, Status: answer.Status, Failure: answer.Failure, Body: answer.Body, Cut: answer.Cut, TookMS: answer.Took.Milliseconds(),
		}}, nil
	})
}
