package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/connection"
)

// PastGeneration is a replaced token set, without its tokens.
type PastGeneration struct {
	Generation int64      `json:"generation"`
	ObtainedAt time.Time  `json:"obtained_at"`
	ReplacedAt time.Time  `json:"replaced_at"`
	ValidUntil *time.Time `json:"valid_until,omitempty" doc:"When its access token ends; absent if unknown"`
	Restorable bool       `json:"restorable" doc:"Whether it may be put back"`
	Why        string     `json:"why,omitempty" doc:"Why it may not"`
}

// RestoreBody names the token set to put back.
type RestoreBody struct {
	Generation int64 `json:"generation,omitempty" minimum:"0" doc:"A past generation; 0 or absent is the last one that may still be good"`
}

func (a *API) registerRestore() {
	huma.Register(a.huma, operation("list-generations", http.MethodGet, "/api/v1/connections/{name}/generations",
		"List the token sets that are kept", "Connections", 404), a.listGenerations)
	restore := operation("restore-connection", http.MethodPost, "/api/v1/connections/{name}/restore",
		"Put a kept token set back; refused where the service rotates refresh tokens", "Connections", 404, 409, 422)
	huma.Register(a.huma, restore, func(ctx context.Context, in *struct {
		NameInput
		Body RestoreBody
	}) (*one[Connection], error) {
		_, c, err := a.conns.Restore(ctx, connections.Named(in.Name), in.Body.Generation)
		if err != nil {
			return nil, a.fail(err)
		}
		return a.view(ctx, c)
	})
}

func (a *API) listGenerations(ctx context.Context, in *NameInput) (*listOf[PastGeneration], error) {
	c, err := a.connection(ctx, in.Name)
	if err != nil {
		return nil, a.fail(err)
	}
	history, err := a.store.Grants.History(ctx, c.ID)
	if err != nil {
		return nil, a.fail(err)
	}
	now := time.Now()
	var items []PastGeneration
	for _, past := range history {
		item := PastGeneration{
			Generation: past.Generation, ObtainedAt: past.Tokens.ObtainedAt.UTC(), ReplacedAt: past.ReplacedAt.UTC(),
			ValidUntil: orAbsent(past.Tokens.ExpiresAt), Restorable: true,
		}
		if cause := c.MayRestore(now, connection.PastSet{Generation: past.Generation, Tokens: past.Tokens}); cause != nil {
			item.Restorable, item.Why = false, cause.Error()
		}
		items = append(items, item)
	}
	return list(items), nil
}
