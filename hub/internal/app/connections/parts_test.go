package connections_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// addPart adds a connection of a part.
func addPart(t *testing.T, r *apptest.Rig, main connection.Connection, name string) connection.Connection {
	t.Helper()
	now := time.Now()
	c := main.NewPart(now, store.NewID(), main.Name+"-"+name, provider.Part{Name: name, Title: provider.Text{EN: name}}, "en").
		Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r"}, provider.Account{ID: "8"}, nil)
	apptest.Must(t, r.Store.Grants.CreateConnection(t.Context(), c))
	return c
}

func TestAMainConnectionIsDeletedAloneOrWithItsParts(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x, seq := of(r), int64(0)
		main := r.Connection(t, r.Service(t, "svc"), "sales")
		user := addPart(t, r, main, "user")
		addPart(t, r, main, "guest")
		ctx := r.As(t.Context(), access.RoleAdministrator)
		r.Records(t, &seq)
		if _, err := x.DeleteWithParts(r.As(t.Context(), access.RoleViewer), connections.Named("sales"), catalogue.KeepGrant); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("a viewer: %v", err)
		}
		r.Records(t, &seq)

		// Alone: the parts stay, and know that their main one is in the trash.
		_, _, err := x.Delete(ctx, connections.Named("sales"), catalogue.KeepGrant)
		apptest.Must(t, err)
		left, err := x.Parts(ctx, user)
		apptest.Must(t, err)
		if left.Main.Name != "" || !left.Trashed {
			t.Errorf("without its main one a part has %+v", left)
		}
		_, err = x.PutBack(ctx, main.ID, "")
		apptest.Must(t, err)
		if left, err = x.Parts(ctx, user); err != nil || left.Main.Name != "sales" || left.Trashed {
			t.Errorf("with its main one back a part has %+v, %v", left, err)
		}
		r.Records(t, &seq)

		// With them: each is an act of its own, and the main one goes last.
		deleted, err := x.DeleteWithParts(ctx, connections.Named("sales"), catalogue.KeepGrant)
		apptest.Must(t, err)
		if got := r.Records(t, &seq); got != "connection.delete done sales-user\nconnection.delete done sales-guest\nconnection.delete done sales" {
			t.Errorf("recorded\n%s", got)
		}
		if len(deleted) != 3 || deleted[2].Connection.ID != main.ID {
			t.Errorf("deleted %d", len(deleted))
		}
		_, _, err = x.Remove(ctx, main.ID)
		apptest.Must(t, err)
		_, err = x.PutBack(ctx, user.ID, "")
		apptest.Must(t, err)
		if left, err = x.Parts(ctx, user); err != nil || left.Main.Name != "" || left.Trashed {
			t.Errorf("with its main one gone a part has %+v, %v", left, err)
		}
	})
}

// What was revoked of the main connection says nothing of its parts.
func TestARevokedMainGrantLeavesItsParts(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x := of(r)
		main := r.Connection(t, r.Service(t, "svc"), "sales")
		user := addPart(t, r, main, "user")
		_, _, err := x.Revoke(r.As(t.Context(), access.RoleAdministrator), connections.Named("sales"))
		apptest.Must(t, err)
		after, err := r.Store.Grants.Connection(t.Context(), user.ID)
		apptest.Must(t, err)
		if after.State != connection.StateActive || after.Generation != user.Generation || after.Tokens.RefreshToken != "r" {
			t.Errorf("the part is %s, generation %d", after.State, after.Generation)
		}
	})
}
