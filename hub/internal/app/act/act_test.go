package act_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// recorded are the records as "act outcome object reason", oldest first.
func recorded(t *testing.T, st *store.Store) string {
	t.Helper()
	records, err := st.Audit.AuditRecords(t.Context(), auditdb.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, 0, len(records))
	for _, r := range records {
		lines = append([]string{strings.TrimSpace(strings.Join([]string{r.Act, r.Outcome, r.Object, r.Detail["reason"]}, " "))}, lines...)
	}
	return strings.Join(lines, "\n")
}

func each(t *testing.T, test func(t *testing.T, ctx context.Context, st *store.Store, r *act.Recorder)) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		ctx := act.With(t.Context(), act.Person(peopledb.User{ID: "u1", Login: "ann", Role: access.RoleOperator}, "192.0.2.1", ""))
		test(t, ctx, st, act.NewRecorder(st, audit.New(st, hclog.NewNullLogger())))
	})
}

func pause(needs access.Act) act.Act {
	return act.Act{Name: "connection.pause", Needs: needs, On: audit.Object{Kind: "connection", Name: "sales"}}
}

func TestAChangeAndItsRecordAreOne(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, st *store.Store, r *act.Recorder) {
		set := func(err error) func(context.Context, *act.Entry) error {
			return func(ctx context.Context, _ *act.Entry) error {
				return errors.Join(st.SetSetting(ctx, "paused", "yes"), err)
			}
		}
		if err := r.Change(ctx, pause(access.ActManage), set(nil)); !errors.Is(err, act.ErrNotAllowed) {
			t.Fatalf("an operator who may not: %v", err)
		}
		if err := r.Change(ctx, pause(access.ActOperate), set(store.ErrInUse)); !errors.Is(err, store.ErrInUse) {
			t.Fatalf("a rule that says no: %v", err)
		}
		if err := r.Change(ctx, pause(access.ActOperate), set(errors.New("disk full"))); err == nil {
			t.Fatal("a fault is not returned")
		}
		if _, err := st.Setting(ctx, "paused"); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("what was refused or has failed was written: %v", err)
		}
		if err := r.Change(ctx, pause(access.ActOperate), set(nil)); err != nil {
			t.Fatal(err)
		}
		if got, err := st.Setting(ctx, "paused"); err != nil || got != "yes" {
			t.Fatalf("what was done: %q %v", got, err)
		}
		want := "connection.pause refused sales this is not allowed\nconnection.pause refused sales in use\nconnection.pause failed sales disk full\nconnection.pause done sales"
		if got := recorded(t, st); got != want {
			t.Errorf("recorded\n%s\nwant\n%s", got, want)
		}
	})
}

func TestAnActThatAsksAServiceIsRecordedBeforeAndAfter(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, st *store.Store, r *act.Recorder) {
		gone, cancel := context.WithCancel(ctx)
		renew := act.Act{Name: "connection.renew", Needs: access.ActOperate, On: audit.Object{Kind: "connection", Name: "sales"}}
		err := r.Ask(gone, renew, func(context.Context, *act.Entry) error {
			if got := recorded(t, st); got != "connection.renew begun sales" {
				t.Errorf("while it is under way: %s", got)
			}
			cancel() // the caller disconnects
			return context.DeadlineExceeded
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if err := r.Ask(ctx, renew, func(_ context.Context, e *act.Entry) error { e.Refuse("the grant is dead"); return nil }); err != nil {
			t.Fatal(err)
		}
		want := "connection.renew begun sales\nconnection.renew failed sales it took too long\nconnection.renew begun sales\nconnection.renew refused sales the grant is dead"
		if got := recorded(t, st); got != want {
			t.Errorf("recorded\n%s\nwant\n%s", got, want)
		}
	})
}

func TestNobodyMayDoWhatNeedsAPermission(t *testing.T) {
	key := peopledb.APIKey{ID: "k", Title: "cron", Scopes: []string{access.ScopeTokenRead}}
	admin := peopledb.APIKey{ID: "a", Title: "admin", Scopes: []string{access.ScopeAdmin}, CreatedAt: time.Now()}
	for name, allowed := range map[string]struct {
		caller               act.Caller
		none, manage, people bool
	}{
		"nobody":  {act.Caller{}, true, false, false},
		"link":    {act.Link(audit.KindLink, "", "", ""), true, false, false},
		"key":     {act.Key(key, ""), true, false, false},
		"admin":   {act.Key(admin, ""), true, true, true},
		"viewer":  {act.Person(peopledb.User{Role: access.RoleViewer}, "", ""), true, false, false},
		"owner":   {act.Person(peopledb.User{Role: access.RoleOwner}, "", ""), true, true, true},
		"the hub": {act.Hub(), true, true, true},
	} {
		if c := act.From(act.With(t.Context(), allowed.caller)); c.May("") != allowed.none || c.May(access.ActManage) != allowed.manage || c.May(access.ActPeople) != allowed.people {
			t.Errorf("%s may %t, %t, %t", name, c.May(""), c.May(access.ActManage), c.May(access.ActPeople))
		}
	}
}
