package grants_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestMain(m *testing.M) { apptest.Main(m) }

func of(r *apptest.Rig) *grants.Grants {
	return grants.New(grants.Options{Store: r.Store, Flow: r.Flow, Recorder: r.Recorder, Logger: hclog.NewNullLogger()})
}

// visitor is somebody without an account.
func visitor(ctx context.Context) context.Context {
	return act.With(ctx, act.Link(audit.KindFront, "", "198.51.100.7", "Phone browser"))
}

// stateOf is the state in the address that a browser is sent to.
func stateOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	apptest.Must(t, err)
	return u.Query().Get("state")
}

func TestEveryActThatLeadsToAGrantLeavesARecord(t *testing.T) {
	apptest.EveryActIsRecorded(t, "Grants", "Link", "Device", "DeviceOfLink")
}

func TestAnAuthorizationOfAPersonIsRecordedFromItsStartToItsEnd(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		g, s, seq := of(r), r.Service(t, "svc"), int64(0)
		r.Connection(t, s, "sales")
		ctx := r.As(t.Context(), access.RoleOperator)
		way := grants.Way{Browser: authflow.NewBrowser(), ReturnTo: "/connections/sales"}
		d, err := g.Start(ctx, "sales", way)
		apptest.Must(t, err)
		if got := r.Records(t, &seq); got != "connection.authorize begun sales\nconnection.authorize done sales" {
			t.Errorf("the start is recorded as\n%s", got)
		}
		finished, err := g.Finish(ctx, "svc", url.Values{"state": {stateOf(t, d.URL)}, "code": {"good"}}, way.Browser)
		apptest.Must(t, err)
		if finished.ReturnTo != way.ReturnTo || finished.Connection.Generation != 2 {
			t.Errorf("finished: %s, generation %d", finished.ReturnTo, finished.Connection.Generation)
		}
		if got := r.Records(t, &seq); got != "connection.authorized begun sales\nconnection.authorized done sales" {
			t.Errorf("the callback is recorded as\n%s", got)
		}
		if last := r.Last(t); last.Actor != access.RoleOperator || last.Detail["account"] != "ann@service.example (7)" || last.Detail["browser"] != "Test browser" {
			t.Errorf("the record is %+v", last)
		}
		// The state is spent: the callback belongs to no authorization any more.
		_, err = g.Finish(ctx, "svc", url.Values{"state": {stateOf(t, d.URL)}, "code": {"good"}}, way.Browser)
		if failure, is := errors.AsType[*authflow.Failure](err); !is || failure.Reason != authflow.ReasonUnknownState {
			t.Errorf("a second callback: %v", err)
		}
		if got := r.Records(t, &seq); got != "" {
			t.Errorf("a callback of nobody's is recorded as\n%s", got)
		}
		if _, err := g.Start(r.As(t.Context(), access.RoleViewer), "sales", way); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("a viewer: %v", err)
		}
		if got := r.Records(t, &seq); got != "connection.authorize refused sales: this is not allowed" {
			t.Errorf("a viewer is recorded as\n%s", got)
		}
	})
}

func TestCallbacksThatComeToNothingAreRecorded(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		g, s, seq := of(r), r.Service(t, "svc"), int64(0)
		r.Connection(t, s, "sales")
		ctx := r.As(t.Context(), access.RoleOperator)
		for name, tt := range map[string]struct {
			answer int32
			params url.Values
			other  bool
			want   string
		}{
			"the person says no":  {http.StatusOK, url.Values{"error": {"access_denied"}}, false, "refused sales: authorization failed: denied"},
			"the service says no": {http.StatusBadRequest, url.Values{"code": {"c"}}, false, "refused sales: authorization failed: operator"},
			"the service is down": {http.StatusServiceUnavailable, url.Values{"code": {"c"}}, false, "failed sales: authorization failed: transient"},
			"another browser":     {http.StatusOK, url.Values{"code": {"c"}}, true, "refused sales: authorization failed: other_browser"},
		} {
			r.Answer.Store(http.StatusOK)
			way := grants.Way{Browser: authflow.NewBrowser()}
			d, err := g.Start(ctx, "sales", way)
			apptest.Must(t, err)
			r.Records(t, &seq)
			r.Answer.Store(tt.answer)
			tt.params.Set("state", stateOf(t, d.URL))
			browser := way.Browser
			if tt.other {
				browser = authflow.NewBrowser()
			}
			if _, err := g.Finish(ctx, "svc", tt.params, browser); err == nil {
				t.Errorf("%s: it came to a grant", name)
			}
			if got, want := r.Records(t, &seq), "connection.authorized begun sales\nconnection.authorized "+tt.want; !strings.HasPrefix(got, want) {
				t.Errorf("%s: recorded\n%s\nwant\n%s", name, got, want)
			}
		}
	})
}

// The link of a message is made by who has the message sent: a person, or the hub itself.
func TestTheLinkOfAMessageIsRecorded(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		g, s, seq := of(r), r.Service(t, "svc"), int64(0)
		c := r.Connection(t, s, "sales")
		for who, ctx := range map[string]context.Context{audit.KindHub: t.Context(), audit.KindPerson: r.As(t.Context(), access.RoleOperator)} {
			token, err := g.MessageLink(ctx, c.ID, "", time.Hour)
			apptest.Must(t, err)
			if linked, err := g.Link(ctx, token); err != nil || linked.Connection.ID != c.ID {
				t.Errorf("the link leads to %+v, %v", linked, err)
			}
			if got, last := r.Records(t, &seq), r.Last(t); got != "connection.link done sales" || last.ActorKind != who {
				t.Errorf("recorded %s by %s, want by %s", got, last.ActorKind, who)
			}
		}
		if _, err := g.MessageLink(t.Context(), "gone", "", time.Hour); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the link of a connection that is gone: %v", err)
		}
		if got := r.Records(t, &seq); !strings.HasPrefix(got, "connection.link refused gone") {
			t.Errorf("recorded %s", got)
		}
	})
}

func TestWhoFollowsALinkIsRecordedAsFarAsKnown(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		g, s, seq := of(r), r.Service(t, "svc"), int64(0)
		r.Connection(t, s, "sales")
		token, _, err := g.MakeLink(r.As(t.Context(), access.RoleOperator), "sales", "Ann Operator")
		apptest.Must(t, err)
		ctx, way := visitor(t.Context()), grants.Way{Browser: authflow.NewBrowser()}
		if _, _, err := g.Follow(ctx, "no-such-token", way); !errors.Is(err, authflow.ErrLinkSpent) {
			t.Errorf("a link that never was one: %v", err)
		}
		linked, d, err := g.Follow(ctx, token, way)
		apptest.Must(t, err)
		if linked.Connection.Name != "sales" || d.URL == "" {
			t.Errorf("the link leads to %s", linked.Connection.Name)
		}
		if _, _, err := g.Follow(ctx, token, grants.Way{Browser: authflow.NewBrowser()}); !errors.Is(err, authflow.ErrLinkTaken) {
			t.Errorf("another browser: %v", err)
		}
		_, err = g.Finish(ctx, "svc", url.Values{"state": {stateOf(t, d.URL)}, "code": {"good"}}, way.Browser)
		apptest.Must(t, err)
		want := "connection.link done sales\nconnection.follow_link begun sales\nconnection.follow_link done sales\n" +
			"connection.follow_link begun sales\nconnection.follow_link refused sales: " + authflow.ErrLinkTaken.Error() + "\n" +
			"connection.authorized begun sales\nconnection.authorized done sales"
		if got := r.Records(t, &seq); got != want {
			t.Errorf("recorded\n%s\nwant\n%s", got, want)
		}
		last := r.Last(t)
		if last.ActorKind != audit.KindLink || last.Actor != "Ann Operator" || last.Address != "198.51.100.7" || last.Detail["browser"] != "Phone browser" || last.Detail["account"] != "ann@service.example (7)" {
			t.Errorf("the record is %+v", last)
		}
	})
}

func TestAPastedAddressIsRecorded(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		g, s, seq := of(r), r.Service(t, "svc"), int64(0)
		r.Connection(t, s, "sales")
		ctx := r.As(t.Context(), access.RoleOperator)
		if _, err := g.Paste(ctx, "sales", "it did not work"); err == nil {
			t.Error("a sentence was taken for a code")
		}
		_, err := g.Start(ctx, "sales", grants.Way{Browser: authflow.NewBrowser()})
		apptest.Must(t, err)
		r.Records(t, new(int64))
		_, err = g.Paste(ctx, "sales", "a-code")
		apptest.Must(t, err)
		want := "connection.paste begun sales\nconnection.paste refused sales: authorization failed: not_pasted\n" +
			"connection.authorize begun sales\nconnection.authorize done sales\nconnection.paste begun sales\nconnection.paste done sales"
		if got := r.Records(t, &seq); got != want {
			t.Errorf("recorded\n%s\nwant\n%s", got, want)
		}
	})
}

func TestCodesWithoutKeepingThemAreForWhoMaySeeThem(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		g, s, seq := of(r), r.Service(t, "svc"), int64(0)
		way, limit := grants.Way{Browser: authflow.NewBrowser(), ReturnTo: "/once"}, servicedb.FrontLimit{PerAddress: 2, InTotal: 5, Within: time.Hour}
		finish := func(ctx context.Context, d grants.Departure) (*authflow.Finished, error) {
			return g.Finish(ctx, "svc", url.Values{"state": {stateOf(t, d.URL)}, "code": {"good"}}, way.Browser)
		}
		person := r.As(t.Context(), access.RoleOperator)
		d, err := g.StartOnce(person, "svc", way)
		apptest.Must(t, err)
		finished, err := finish(visitor(t.Context()), d)
		if !errors.Is(err, act.ErrNotAllowed) || finished == nil || finished.Connection.Tokens.AccessToken != "" {
			t.Errorf("who is not signed in any more: %v", err)
		}
		d, err = g.StartOnce(person, "svc", way)
		apptest.Must(t, err)
		finished, err = finish(person, d)
		apptest.Must(t, err)
		if !finished.Once || finished.Connection.Tokens.AccessToken == "" {
			t.Error("a person who may see tokens gets none")
		}
		want := "service.once_begin begun svc\nservice.once_begin done svc\nservice.once begun svc\nservice.once refused svc: this is not allowed\n" +
			"service.once_begin begun svc\nservice.once_begin done svc\nservice.once begun svc\nservice.once done svc"
		if got := r.Records(t, &seq); got != want {
			t.Errorf("recorded\n%s\nwant\n%s", got, want)
		}
		// On the front page: not before the service is published, and not too often.
		if _, err := g.StartAtFront(visitor(t.Context()), "svc", "198.51.100.7", limit, way); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a service that is not published: %v", err)
		}
		apptest.Must(t, r.Store.Services.Publish(t.Context(), s.ID, "ann", time.Now()))
		for range 2 {
			d, err = g.StartAtFront(visitor(t.Context()), "svc", "198.51.100.7", limit, way)
			apptest.Must(t, err)
		}
		if _, err := g.StartAtFront(visitor(t.Context()), "svc", "198.51.100.7", limit, way); !errors.Is(err, servicedb.ErrTooOften) {
			t.Errorf("the third time: %v", err)
		}
		if finished, err = finish(visitor(t.Context()), d); err != nil || finished.Connection.Tokens.AccessToken == "" {
			t.Errorf("a visitor of the front page gets no codes: %v", err)
		}
		begun := "service.once_begin begun svc\nservice.once_begin done svc\n"
		if got := r.Records(t, &seq); got != begun+begun+"service.once begun svc\nservice.once done svc" {
			t.Errorf("the front page is recorded as\n%s", got)
		}
		if last := r.Last(t); last.ActorKind != audit.KindFront || last.Address != "198.51.100.7" {
			t.Errorf("the record is %+v", last)
		}
	})
}

func TestAnExchangeThatEndsLateIsRecordedWhenItEnds(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		g, s, seq := of(r), r.Service(t, "svc"), int64(0)
		c := r.Connection(t, s, "sales")
		a := &authdb.Authorization{ConnectionID: c.ID}
		g.Late(visitor(t.Context()), a, &authflow.Finished{Connection: c}, nil)
		g.Late(visitor(t.Context()), a, nil, &authflow.Failure{Reason: authflow.ReasonTransient, Cause: provider.Errorf(provider.Transient, "", "503")})
		if got, want := r.Records(t, &seq), "connection.authorized done sales\nconnection.authorized failed sales: authorization failed: transient"; !strings.HasPrefix(got, want) {
			t.Errorf("recorded\n%s", got)
		}
	})
}
