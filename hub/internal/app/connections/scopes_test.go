package connections_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// A process may report each answer that it gets: what is known leaves no record and opens no
// second escalation, and what was granted or declined ends the first.
func TestReportsOfMissingScopesAreRecordedOnce(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x, seq, name := of(r), int64(0), connections.Named("sales")
		r.Connection(t, r.Service(t, "crm"), "sales")
		process := act.With(t.Context(), act.Key(peopledb.APIKey{ID: "k", Title: "exporter"}, "198.51.100.7"))
		apptest.Must(t, r.Store.People.SaveContact(t.Context(), policy.Contact{ID: "desk", Title: "Desk", TakesRest: true}, time.Now()))
		open := func(want int) {
			t.Helper()
			apptest.Must(t, escalation.NewPlanner(r.Store).EndScopes(t.Context(), time.Now()))
			list, err := r.Store.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true, Event: policy.ScopesNeeded})
			if err != nil || len(list) != want {
				t.Errorf("open are %+v, want %d: %v", list, want, err)
			}
		}
		for _, scopes := range []string{"files", "files", "files mail"} {
			_, err := x.NeedScopes(process, name, strings.Fields(scopes))
			apptest.Must(t, err)
			open(1)
		}
		_, err := x.NeedScopes(process, name, []string{"two words"})
		if _, refused := errors.AsType[*connection.NeedsError](err); !refused {
			t.Errorf("what is no scope: %v", err)
		}
		c, err := x.NeedScopes(process, name, nil)
		if err != nil || strings.Join(c.LackedScopes(), " ") != "files mail" {
			t.Errorf("it lacks %q: %v", c.LackedScopes(), err)
		}
		if _, err := x.DeclineScopes(r.As(t.Context(), access.RoleViewer), name); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("a viewer: %v", err)
		}
		_, err = x.DeclineScopes(r.As(t.Context(), access.RoleOperator), name)
		apptest.Must(t, err)
		open(0)
		_, err = x.NeedScopes(process, name, []string{"mail"})
		apptest.Must(t, err)
		open(0)
		want := "connection.scopes_needed done sales\nconnection.scopes_needed done sales\nconnection.scopes_needed refused sales: \"two words\" is no scope"
		got := r.Records(t, &seq)
		if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "connection.decline_scopes refused sales: this is not allowed\nconnection.decline_scopes done sales") {
			t.Errorf("recorded\n%s", got)
		}
	})
}
