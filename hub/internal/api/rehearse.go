package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/authflow"
)

// Rehearsal is whether a renewal would work, as far as the service says.
type Rehearsal struct {
	Verdict  string   `json:"verdict" enum:"renewal_works,renewal_over,access_works,access_over,not_told,no_way" doc:"renewal_*: the refresh token is in force, or not; access_*: only the access token could be checked; not_told: the service could not be asked or did not say; no_way: it offers no way to check without renewing"`
	By       string   `json:"by,omitempty" enum:"introspect,identify" doc:"What was asked"`
	LeftS    *int64   `json:"left_s,omitempty" doc:"Remaining life of the refresh token in seconds, for access_works of the access token; left out if the service does not say"`
	Scopes   []string `json:"scopes,omitempty" doc:"Those that the service names"`
	Account  string   `json:"account,omitempty" doc:"Whose the access token is, where that was asked"`
	Failure  string   `json:"failure,omitempty" doc:"What the service answered instead"`
	FailedAs string   `json:"failed_as,omitempty" doc:"The kind of that failure"`
}

func (a *API) registerRehearsal() {
	op := operation("rehearse-renewal", http.MethodPost, "/api/v1/connections/{name}/rehearse", "Ask whether a renewal would work", "Connections", 404, 409, 503)
	op.Description = "Spends nothing and changes nothing, also if the service says that the refresh token is not in force."
	op.DefaultStatus = http.StatusOK
	huma.Register(a.huma, op, func(ctx context.Context, in *NameInput) (*one[Rehearsal], error) {
		r, err := a.conns.Rehearse(ctx, connections.Named(in.Name))
		if errors.Is(err, authflow.ErrNothingToRehearse) {
			return nil, problem(http.StatusConflict, "nothing-to-rehearse", "There is no renewal to try", "This connection has no grant yet. Authorize it first.")
		}
		if err != nil {
			return nil, a.fail(err)
		}
		return &one[Rehearsal]{rehearsalView(r)}, nil
	})
}

func rehearsalView(r authflow.Rehearsal) Rehearsal {
	v := Rehearsal{Verdict: string(r.Verdict), By: string(r.By), Scopes: r.Scopes, Account: r.Account.Name}
	if v.Account == "" {
		v.Account = r.Account.ID
	}
	if r.Left != nil {
		left := int64(r.Left.Seconds())
		v.LeftS = &left
	}
	if r.Cause != nil {
		v.Failure, v.FailedAs = r.Cause.Error(), r.Cause.Kind.String()
	}
	return v
}
