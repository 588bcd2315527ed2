package data_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/data"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/withdrawn"
)

func TestEveryActIsRecorded(t *testing.T) {
	apptest.EveryActIsRecorded(t, "Data", "KeyKept", "Withdrawn", "CountWithdrawn", "Restores", "RestoreReplicas", "Replicas", "Behind", "CountBehind")
}

// world is the data of a hub; its parts outside are what a test sets.
type world struct {
	*data.Data
	st     *store.Store
	adopt  error
	anchor func() (int, error)
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		log := hclog.NewNullLogger()
		keeper, err := newest.Open(storetest.Folder(t), storetest.Box(t), log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = keeper.Close() })
		runner := bulk.New(bulk.Options{Store: st, Decided: func(context.Context) error { return nil }, Logger: log})
		t.Cleanup(runner.Close)
		w := &world{st: st}
		w.Data = data.New(data.Options{
			Store: st, Recorder: apptest.Recorder(st), Adopt: func(context.Context) error { return w.adopt }, Bulk: runner,
			Withdrawn:  withdrawn.New(withdrawn.Options{Store: st, Newest: keeper, Replica: "here", Logger: log}),
			SendAnchor: func(context.Context, string, auditdb.AuditAnchor) (int, error) { return w.anchor() }, Logger: log,
		})
		test(t, w)
	})
}

func TestActsOnTheDataAreRecordedWithHowTheyWent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ann, viewer := apptest.As(t, "ann", "u1", access.RoleAdministrator), apptest.As(t, "eve", "u2", access.RoleViewer)
		if err := errors.Join(w.Adopt(ann), w.KeepKey(ann)); err != nil {
			t.Error(err)
		}
		if kept, err := w.KeyKept(ann); !kept || err != nil {
			t.Errorf("the copy of the key is forgotten: %v", err)
		}
		w.adopt = errors.New("disk full")
		if err := w.Adopt(ann); !errors.Is(err, w.adopt) {
			t.Error(err)
		}
		if err := w.KeepKey(viewer); !errors.Is(err, act.ErrNotAllowed) {
			t.Error(err)
		}
		if _, n, err := w.DecideBehind(ann, nil, replicadb.DecideTryOnce); n != 0 || err != nil {
			t.Errorf("%d decided: %v", n, err)
		}
		if _, _, err := w.DecideBehind(viewer, nil, replicadb.DecideTryOnce); !errors.Is(err, act.ErrNotAllowed) {
			t.Error(err)
		}
		apptest.Want(t, w.st, "ann data.adopt done", "ann data.key_kept done key", "ann data.adopt failed", "eve data.key_kept refused key", "eve bulk."+replicadb.DecideTryOnce+" refused")
	})
}

func TestTheChainIsVerifiedByWhoMayReadIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, ctx := range map[string]context.Context{
			"an administrator": apptest.As(t, "ann", "u1", access.RoleAdministrator),
			"a key":            act.With(t.Context(), act.Key(peopledb.APIKey{ID: "k", Title: "auditor", Scopes: []string{access.ScopeAuditRead}}, "")),
		} {
			if _, err := w.VerifyAudit(ctx); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, ctx := range map[string]context.Context{
			"a viewer": apptest.As(t, "eve", "u2", access.RoleViewer),
			"a key":    act.With(t.Context(), act.Key(peopledb.APIKey{ID: "k", Title: "cron", Scopes: []string{access.ScopeTokenRead}}, "")),
		} {
			if _, err := w.VerifyAudit(ctx); !errors.Is(err, act.ErrNotAllowed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if all := apptest.Records(t, w.st); len(all) != 4 {
			t.Errorf("recorded %q", all)
		}
	})
}

func TestTheAnchorIsSentOnceADayAndItsFailureRecordedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		now := time.Now()
		if err := w.Anchor(t.Context(), "Mail", now); err != nil {
			t.Errorf("nothing to anchor: %v", err)
		}
		if err := w.KeepKey(apptest.As(t, "ann", "u1", access.RoleOwner)); err != nil {
			t.Fatal(err)
		}
		w.anchor = func() (int, error) { return 0, errors.New("the mail server is away") }
		for range 3 {
			if err := w.Anchor(t.Context(), "Mail", now); err == nil {
				t.Error("nobody was sent it, and that is no error")
			}
		}
		w.anchor = func() (int, error) { return 2, nil }
		for range 2 {
			if err := w.Anchor(t.Context(), "Mail", now); err != nil {
				t.Error(err)
			}
		}
		if all := apptest.Records(t, w.st); len(all) != 3 {
			t.Errorf("recorded %q", all)
		}
		apptest.Want(t, w.st, "audit.anchor failed Mail", "audit.anchor done Mail")
	})
}

func TestWhatARestoreBroughtBackIsWithdrawnAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := access.New(w.st)
		_, key, err := a.CreateKey(t.Context(), access.KeyDraft{Title: "lost", AllConnections: true, CreatedBy: access.MadeByHub})
		if err != nil {
			t.Fatal(err)
		}
		lost := replicadb.Withdrawal{Act: withdrawn.KeyRevoked, Kind: "key", Object: key.ID, At: time.Now().Add(-time.Hour), PublishedBy: "there"}
		if err := w.st.Replicas.PublishWithdrawals(t.Context(), []replicadb.Withdrawal{lost}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.WithdrawAgain(apptest.As(t, "ann", "u1", access.RoleAdministrator)); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("an administrator withdrew: %v", err)
		}
		robot := act.With(t.Context(), act.Key(peopledb.APIKey{ID: "k", Title: "robot", Scopes: []string{access.ScopeAdmin}}, ""))
		done, err := w.WithdrawAgain(robot)
		if err != nil || len(done) != 1 || done[0].Err != nil {
			t.Errorf("%+v: %v", done, err)
		}
		apptest.Want(t, w.st, "ann data.withdraw_again refused "+key.ID, "robot data.withdraw_again done "+key.ID)
		if now, err := w.st.People.APIKey(t.Context(), key.ID); err != nil || now.RevokedAt.IsZero() {
			t.Errorf("the key works again: %v", err)
		}
		if n, err := w.CountWithdrawn(t.Context()); n != 0 || err != nil {
			t.Errorf("%d are left: %v", n, err)
		}
	})
}
