package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/withdrawn"
)

// Withdrawal is something that was withdrawn and that a restore has brought back.
type Withdrawal struct {
	Act    string    `json:"act" enum:"key.revoke,person.remove,person.disable,connection.revoke,connection.delete"`
	Object string    `json:"object" doc:"The key's id, the person's login, the connection's name"`
	Title  string    `json:"title,omitempty"`
	At     time.Time `json:"at" doc:"When it was withdrawn"`
	// Done and Problem are set in the answer to an act.
	Done    bool   `json:"done,omitempty" doc:"It is withdrawn again"`
	Problem string `json:"problem,omitempty" doc:"Why it is not"`
}

func (a *API) registerData() {
	huma.Register(a.huma, operation("list-withdrawn", http.MethodGet, "/api/v1/data/withdrawn", "List what was withdrawn and is back after a restore", "Data"),
		func(ctx context.Context, _ *struct{}) (*listOf[Withdrawal], error) {
			found, err := a.data.Withdrawn(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			items := make([]Withdrawal, 0, len(found))
			for _, i := range found {
				items = append(items, withdrawalView(i))
			}
			return list(items), nil
		})
	op := operation("withdraw-data", http.MethodPost, "/api/v1/data/withdraw", "Withdraw all of that again", "Data")
	op.DefaultStatus = http.StatusOK
	huma.Register(a.huma, op, func(ctx context.Context, _ *struct{}) (*listOf[Withdrawal], error) {
		done, err := a.data.WithdrawAgain(ctx)
		if err != nil {
			return nil, a.fail(err)
		}
		items := make([]Withdrawal, 0, len(done))
		for _, o := range done {
			v := withdrawalView(o.Item)
			if v.Done = o.Err == nil; o.Err != nil {
				v.Problem = o.Err.Error()
			}
			items = append(items, v)
		}
		return list(items), nil
	})
}

func withdrawalView(i withdrawn.Item) Withdrawal {
	return Withdrawal{Act: i.Act, Object: i.Object, Title: i.Title, At: i.At}
}

// registerAdoption is for a data folder that looks copied.
func (a *API) registerAdoption() {
	op := operation("adopt-data", http.MethodPost, "/api/v1/data/adopt",
		"Take a data folder that looks copied for the only one: grants that rotate are renewed again", "Data")
	op.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, op, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		if err := a.data.Adopt(ctx); err != nil {
			return nil, a.fail(err)
		}
		return nil, nil
	})
}
