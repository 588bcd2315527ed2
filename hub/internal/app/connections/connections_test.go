package connections_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestMain(m *testing.M) { apptest.Main(m) }

func of(r *apptest.Rig) *connections.Connections {
	return connections.New(connections.Options{
		Store: r.Store, Catalogue: r.Catalogue, Source: r.Source, Flow: r.Flow, TestCalls: r.TestCalls, Recorder: r.Recorder, Logger: hclog.NewNullLogger(),
	})
}

func TestEveryActOnConnectionsLeavesARecord(t *testing.T) {
	apptest.EveryActIsRecorded(t, "Connections", "Find", "CodesAgain", "Past", "Details", "Owner", "List", "Page", "CountByStatus", "AllTags", "Trash", "Trashed", "CountTrash", "CheckImports", "Parts", "CountParts")
}

// step is an act and what it leaves.
type step struct {
	name string
	// answer is the HTTP status of the service; 0 is as before.
	answer int32
	do     func(ctx context.Context) error
	// is is the error that the caller gets; nil for none, errAny for any.
	is   error
	want string
}

var errAny = errors.New("any")

func walk(t *testing.T, ctx context.Context, r *apptest.Rig, seq *int64, steps []step) { //nolint:revive // the context is the acting person
	t.Helper()
	for _, s := range steps {
		if s.answer != 0 {
			r.Answer.Store(s.answer)
		}
		err := s.do(ctx)
		if s.is == nil && err != nil || s.is != nil && err == nil || s.is != nil && !errors.Is(s.is, errAny) && !errors.Is(err, s.is) {
			t.Errorf("%s: error %v, want %v", s.name, err, s.is)
		}
		if got := r.Records(t, seq); got != s.want {
			t.Errorf("%s: recorded\n%s\nwant\n%s", s.name, got, s.want)
		}
	}
}

func TestActsOnRowsAreRecordedWithTheirOutcome(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x, s, seq := of(r), r.Service(t, "svc"), int64(0)
		c := r.Connection(t, s, "sales")
		sales := connections.Named("sales")
		first := func(_, _ any, err error) error { return err }
		add := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := x.Add(ctx, "svc", catalogue.NewConnection{Name: name, Title: name})
				return err
			}
		}
		id, brought := "", connections.Which{}
		walk(t, r.As(t.Context(), access.RoleAdministrator), r, &seq, []step{
			{name: "add", do: add("support"), want: "connection.add done support"},
			{name: "a name that is taken", do: add("sales"), is: errAny, want: "connection.add refused sales: name: This name is taken; choose another."},
			{name: "no such service", do: func(ctx context.Context) error {
				_, err := x.Add(ctx, "none", catalogue.NewConnection{Name: "a", Title: "a"})
				return err
			}, is: store.ErrNotFound, want: "connection.add refused a: read the service none: not found"},
			{name: "pause", do: func(ctx context.Context) error { b, a, err := x.Pause(ctx, sales); return first(b, a, err) }, want: "connection.pause done sales"},
			{name: "resume", do: func(ctx context.Context) error { b, a, err := x.Resume(ctx, sales); return first(b, a, err) }, want: "connection.resume done sales"},
			{name: "pause what is not there", do: func(ctx context.Context) error {
				b, a, err := x.Pause(ctx, connections.Named("none"))
				return first(b, a, err)
			}, is: store.ErrNotFound, want: "connection.pause refused none: read the connection none: not found"},
			{name: "tags", do: func(ctx context.Context) error { _, err := x.SetTags(ctx, sales, []string{"moscow"}); return err }, want: "connection.tag done sales"},
			{name: "a tag", do: func(ctx context.Context) error { return x.AddTag(ctx, sales, "vip") }, want: "connection.tag done sales"},
			{name: "no tag", do: func(ctx context.Context) error { return x.RemoveTag(ctx, sales, "vip") }, want: "connection.untag done sales"},
			{name: "owner", do: func(ctx context.Context) error { _, err := x.SetOwner(ctx, sales, ""); return err }, want: "connection.owner done sales"},
			{name: "no earlier tokens", do: func(ctx context.Context) error { b, a, err := x.Restore(ctx, sales, 0); return first(b, a, err) }, is: errAny,
				want: "connection.restore refused sales: the token set was not put back: " + connection.ErrRestoreGone.Error()},
			{name: "no offer to take", do: func(ctx context.Context) error { _, err := x.TakeOffer(ctx, sales); return err }, is: authflow.ErrNoOffer, want: "connection.take_offer refused sales: " + authflow.ErrNoOffer.Error()},
			{name: "no offer to drop", do: func(ctx context.Context) error { _, err := x.DropOffer(ctx, sales); return err }, is: authflow.ErrNoOffer, want: "connection.drop_offer refused sales: " + authflow.ErrNoOffer.Error()},
			{name: "import", do: func(ctx context.Context) error {
				c, err := x.Import(ctx, catalogue.Import{Service: "svc", Name: "brought", Tags: []string{"a"}, Grant: provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: provider.Seconds(60)}})
				brought = connections.Which{ID: c.ID, Name: c.Name}
				return err
			}, want: "connection.import done brought"},
			{name: "accounts", do: func(ctx context.Context) error {
				_, err := x.SetAllowedAccounts(ctx, sales, []string{"@Example.org", "ann@other.example"})
				if allowed, readErr := r.Store.Grants.AllowedAccounts(ctx, c.ID); readErr != nil || len(allowed) != 2 || allowed[0] != "@example.org" {
					t.Errorf("allowed are %q: %v", allowed, readErr)
				}
				return err
			}, want: "connection.accounts done sales"},
			{name: "no account", do: func(ctx context.Context) error { _, err := x.SetAllowedAccounts(ctx, sales, []string{"@"}); return err }, is: errAny,
				want: "connection.accounts refused sales: accounts: State at most 50 accounts of at most 200 characters; a domain is written as @example.org."},
			{name: "set aside", do: func(ctx context.Context) error { return x.SetAside(ctx, []connections.Which{brought}) }, want: "connection.delete done brought"},
			{name: "import what was set aside", do: func(ctx context.Context) error {
				c, err := x.Import(ctx, catalogue.Import{Service: "svc", Name: "brought", Held: true, Grant: provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: provider.Seconds(60)}})
				if c.ID != brought.ID || c.State != connection.StatePaused {
					t.Errorf("it is %s, and the same %t", c.State, c.ID == brought.ID)
				}
				return err
			}, want: "connection.import done brought"},
			{name: "take up", do: func(ctx context.Context) error { return x.TakeUp(ctx, []connections.Which{brought}) }, want: "connection.resume done brought"},
			{name: "delete", do: func(ctx context.Context) error {
				c, _, err := x.Delete(ctx, sales, catalogue.KeepGrant)
				id = c.ID
				return err
			}, want: "connection.delete done sales"},
			{name: "put back under a name that is taken", do: func(ctx context.Context) error { _, err := x.PutBack(ctx, id, "support"); return err }, is: errAny,
				want: "connection.put_back refused sales: name: This name is taken; choose another."},
			{name: "put back", do: func(ctx context.Context) error { _, err := x.PutBack(ctx, id, "sales-2"); return err }, want: "connection.put_back done sales-2"},
		})
		if _, err := r.Store.Grants.ConnectionByName(t.Context(), "sales-2"); err != nil {
			t.Error(err)
		}
	})
}

func TestActsThatAskTheServiceAreRecordedBeforeAndAfter(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x, s, seq := of(r), r.Service(t, "svc"), int64(0)
		c := r.Connection(t, s, "sales")
		sales := connections.Named("sales")
		renew := func(ctx context.Context) error { _, _, err := x.Renew(ctx, sales); return err }
		test := func(call string) func(context.Context) error {
			return func(ctx context.Context) error { _, err := x.Test(ctx, sales, call); return err }
		}
		both := func(act, end string) string { return act + " begun sales\n" + act + " " + end }
		walk(t, r.As(t.Context(), access.RoleAdministrator), r, &seq, []step{
			{name: "renew", do: renew, want: both("connection.renew", "done sales")},
			{name: "test call", do: test(""), want: both("connection.test", "done sales")},
			{name: "no such call", do: test("none"), is: errAny, want: both("connection.test", "refused sales: the provider declares no such test call")},
			{name: "codes", do: func(ctx context.Context) error {
				codes, err := x.Codes(ctx, sales, time.Minute, false)
				if codes.AccessToken == "" || codes.RefreshToken != "" {
					t.Errorf("the codes are %v", codes.Scope)
				}
				return err
			}, want: both("connection.codes", "done sales")},
			{name: "the service is down", answer: http.StatusServiceUnavailable, do: renew, want: both("connection.renew", "failed sales: the service answers 503")},
			{name: "give back, later", do: func(ctx context.Context) error { _, _, err := x.Revoke(ctx, sales); return err }, want: both("connection.revoke", "done sales")},
			{name: "nothing to renew", answer: http.StatusOK, do: renew, is: errAny, want: both("connection.renew", "refused sales: The grant was given back; authorize the connection again.")},
			{name: "delete and give back", do: func(ctx context.Context) error {
				_, _, err := x.Delete(ctx, sales, catalogue.RevokeGrant)
				return err
			}, want: both("connection.delete", "done sales")},
			{name: "remove", do: func(ctx context.Context) error { _, _, err := x.Remove(ctx, c.ID); return err }, want: both("connection.remove", "done sales")},
			{name: "remove what is gone", do: func(ctx context.Context) error { _, _, err := x.Remove(ctx, c.ID); return err }, is: store.ErrNotFound,
				want: "connection.remove begun \nconnection.remove refused : read the connection " + c.ID + " in the trash: not found"},
			{name: "import and renew", do: func(ctx context.Context) error {
				in := catalogue.Import{Service: "svc", Name: "brought", Grant: provider.Token{RefreshToken: "r", ExpiresIn: new(time.Duration)}}
				brought, err := x.ImportNow(ctx, in)
				if after, readErr := r.Store.Grants.Connection(ctx, brought.ID); readErr != nil || after.Tokens.AccessToken == "" {
					t.Errorf("an imported refresh token was not renewed: %v", readErr)
				}
				return err
			}, want: "connection.import done brought"},
			{name: "try what is held", do: func(ctx context.Context) error {
				in := catalogue.Import{Service: "svc", Name: "held", Held: true, Grant: provider.Token{RefreshToken: "another", ExpiresIn: new(time.Duration)}}
				if _, err := x.RehearseImport(ctx, in); err != nil {
					return err
				}
				if _, err := x.Import(ctx, in); err != nil {
					return err
				}
				_, after, err := x.Try(ctx, connections.Named("held"))
				if held, readErr := r.Store.Grants.Connection(ctx, after.ID); readErr != nil || held.State != connection.StatePaused || held.Tokens.AccessToken == "" {
					t.Errorf("it is %s: %v", held.State, readErr)
				}
				return err
			}, want: "connection.rehearse begun held\nconnection.rehearse done held\nconnection.import done held\nconnection.renew begun held\nconnection.renew done held"},
		})
	})
}

func TestWhoMayNotIsRefusedAndRecorded(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x, s, seq := of(r), r.Service(t, "svc"), int64(0)
		c := r.Connection(t, s, "sales")
		sales, no := connections.Named("sales"), act.ErrNotAllowed
		refused := func(act string) string { return act + " refused sales: this is not allowed" }
		walk(t, r.As(t.Context(), access.RoleViewer), r, &seq, []step{
			{name: "pause", do: func(ctx context.Context) error { _, _, err := x.Pause(ctx, sales); return err }, is: no, want: refused("connection.pause")},
			{name: "renew", do: func(ctx context.Context) error { _, _, err := x.Renew(ctx, sales); return err }, is: no, want: refused("connection.renew")},
			{name: "codes", do: func(ctx context.Context) error { _, err := x.Codes(ctx, sales, 0, true); return err }, is: no, want: refused("connection.codes")},
		})
		walk(t, r.As(t.Context(), access.RoleOperator), r, &seq, []step{
			{name: "delete", do: func(ctx context.Context) error {
				_, _, err := x.Delete(ctx, sales, catalogue.KeepGrant)
				return err
			}, is: no, want: refused("connection.delete")},
			{name: "give back", do: func(ctx context.Context) error { _, _, err := x.Revoke(ctx, sales); return err }, is: no, want: refused("connection.revoke")},
			{name: "pause", do: func(ctx context.Context) error { _, _, err := x.Pause(ctx, sales); return err }, want: "connection.pause done sales"},
		})
		if after, err := r.Store.Grants.Connection(t.Context(), c.ID); err != nil || after.State != connection.StatePaused {
			t.Errorf("afterwards it is %s: %v", after.State, err)
		}
	})
}

func TestTheTrashIsEmptiedByTheHubItself(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x, s, seq := of(r), r.Service(t, "svc"), int64(0)
		c := r.Connection(t, s, "sales")
		apptest.Must(t, r.Store.Grants.TrashConnection(t.Context(), c.ID, "ann", time.Now().Add(-time.Hour)))
		apptest.Must(t, x.EmptyTrash(act.With(t.Context(), act.Hub()), time.Now()))
		if got := r.Records(t, &seq); got != "connection.remove begun sales\nconnection.remove done sales" {
			t.Errorf("recorded\n%s", got)
		}
		last := r.Last(t)
		if last.ActorKind != "hub" || last.Detail["because"] != "trash.keep" || last.Detail["grant"] != "revoked" || last.Detail["id"] != c.ID {
			t.Errorf("the record is %+v", last)
		}
	})
}

func TestAGrantBehindABackupIsLeftAloneIfItIsNewer(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x, s, seq := of(r), r.Service(t, "svc"), int64(0)
		c := r.Connection(t, s, "sales")
		err := x.GiveUp(r.As(t.Context(), access.RoleOwner), connections.Which{ID: c.ID, Name: c.Name})
		if err == nil || errors.Is(err, tokensource.ErrNewer) {
			t.Errorf("nobody has decided about it: %v", err)
		}
		if _, _, err := x.TryOnce(r.As(t.Context(), access.RoleOwner), connections.Which{ID: c.ID, Name: c.Name}); err != nil {
			t.Error(err)
		}
		got := r.Records(t, &seq)
		want := "connection.send_links begun sales\nconnection.send_links refused sales: " + err.Error() + "\nconnection.try_once begun sales\nconnection.try_once done sales"
		if got != want {
			t.Errorf("recorded\n%s\nwant\n%s", got, want)
		}
	})
}
