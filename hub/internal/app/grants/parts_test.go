package grants_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Whatever leads to a grant of a part is about its main connection, and is recorded as that.
func TestAPartIsAuthorizedThroughItsMainConnection(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		g, seq := of(r), int64(0)
		main := r.Connection(t, r.Service(t, "svc"), "sales")
		now := time.Now()
		part := main.NewPart(now, store.NewID(), "sales-user", provider.Part{Name: "user", Title: provider.Text{EN: "user"}}, "en").
			Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r"}, provider.Account{ID: "8"}, nil)
		apptest.Must(t, r.Store.Grants.CreateConnection(t.Context(), part))
		ctx := r.As(t.Context(), access.RoleOperator)
		way := grants.Way{Browser: authflow.NewBrowser(), ReturnTo: "/connections/sales-user"}
		r.Records(t, &seq)
		d, err := g.Start(ctx, "sales-user", way)
		apptest.Must(t, err)
		if last := r.Last(t); d.Connection.ID != main.ID || last.Object != "sales" || last.Detail["part"] != "sales-user" {
			t.Errorf("begun for %s, recorded as %+v", d.Connection.Name, last)
		}
		finished, err := g.Finish(ctx, "svc", url.Values{"state": {stateOf(t, d.URL)}, "code": {"good"}}, way.Browser)
		apptest.Must(t, err)
		if finished.Connection.ID != main.ID || len(finished.Missing) != 1 || finished.ReturnTo != way.ReturnTo {
			t.Errorf("finished for %s, missing %d", finished.Connection.Name, len(finished.Missing))
		}
		if last := r.Last(t); last.Detail["parts_missing"] != "sales-user" {
			t.Errorf("recorded as %+v", last)
		}
		token, _, err := g.MakeLink(ctx, "sales-user", "Ann")
		apptest.Must(t, err)
		if linked, err := g.Link(ctx, token); err != nil || linked.Connection.ID != main.ID {
			t.Errorf("a link leads to %v, %v", linked, err)
		}
		if token, err = g.MessageLink(t.Context(), part.ID, "", time.Hour); err != nil {
			t.Errorf("the link of a message: %v", err)
		} else if linked, err := g.Link(ctx, token); err != nil || linked.Connection.ID != main.ID {
			t.Errorf("the link of a message leads to %v, %v", linked, err)
		}
		apptest.Must(t, r.Store.Grants.TrashConnection(t.Context(), main.ID, "ann", now))
		for name, try := range map[string]func() error{
			"start":        func() error { _, err := g.Start(ctx, "sales-user", way); return err },
			"link":         func() error { _, _, err := g.MakeLink(ctx, "sales-user", "Ann"); return err },
			"message link": func() error { _, err := g.MessageLink(t.Context(), part.ID, "", time.Hour); return err },
			"paste":        func() error { _, err := g.Paste(ctx, "sales-user", "code"); return err },
		} {
			if err := try(); !errors.Is(err, authflow.ErrMainGone) {
				t.Errorf("%s without the main connection: %v", name, err)
			}
		}
	})
}
