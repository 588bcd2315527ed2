package services_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/keyring"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
)

func TestMain(m *testing.M) { apptest.Main(m) }

func of(r *apptest.Rig, asked func()) *services.Services {
	return services.New(services.Options{Store: r.Store, Catalogue: r.Catalogue, Flow: r.Flow, Access: r.Access, Keyring: keyring.New(r.Store), Recorder: r.Recorder, Asked: asked})
}

func TestEveryActOnServicesLeavesARecord(t *testing.T) {
	apptest.EveryActIsRecorded(t, "Services", "MayConsent", "Find", "Title", "Names", "List", "Counts", "CountTrash", "Published", "AnyPublished", "AtFront", "Doubtful", "Requests", "Keys", "PublicKeys")
}

func TestActsOnServicesAreRecordedWithTheirOutcome(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x, seq := of(r, nil), int64(0)
		used := r.Service(t, "used")
		r.Connection(t, used, "sales")
		broken := r.Draft("broken")
		broken.ClientID = ""
		renamed := r.Draft("crm-2")
		draft := r.Draft("crm")
		for _, s := range []struct {
			name   string
			role   string
			answer int32
			do     func(ctx context.Context) error
			bad    bool
			want   string
		}{
			{"add", "", http.StatusOK, func(ctx context.Context) error { _, err := x.Add(ctx, draft); return err }, false, "service.add begun crm\nservice.add done crm"},
			{"a field is missing", "", http.StatusOK, func(ctx context.Context) error { _, err := x.Add(ctx, broken); return err }, true,
				"service.add begun broken\nservice.add refused broken: client_id: Fill in the client ID of your application."},
			{"the service says no", "", http.StatusBadRequest, func(ctx context.Context) error { _, err := x.Add(ctx, r.Draft("no")); return err }, true, "service.add begun no\nservice.add refused no: "},
			{"the service is down", "", http.StatusBadGateway, func(ctx context.Context) error { _, err := x.Add(ctx, r.Draft("down")); return err }, true, "service.add begun down\nservice.add failed down: "},
			{"check", "", http.StatusOK, func(ctx context.Context) error { _, err := x.Check(ctx, "crm", draft); return err }, false, "service.check begun crm\nservice.check done crm"},
			{"check what is not whole", "", http.StatusOK, func(ctx context.Context) error { _, err := x.Check(ctx, "", broken); return err }, true, "service.check begun broken\nservice.check refused broken: client_id"},
			{"edit", "", http.StatusOK, func(ctx context.Context) error { _, err := x.Edit(ctx, "crm", renamed); return err }, false, "service.edit begun crm\nservice.edit done crm-2"},
			{"edit what is not there", "", http.StatusOK, func(ctx context.Context) error { _, err := x.Edit(ctx, "crm", renamed); return err }, true, "service.edit begun crm\nservice.edit refused crm: "},
			{"publish", access.RoleOwner, 0, func(ctx context.Context) error { _, err := x.Publish(ctx, "crm-2"); return err }, false, "service.publish done crm-2"},
			{"unpublish", access.RoleOwner, 0, func(ctx context.Context) error { _, err := x.Unpublish(ctx, "crm-2"); return err }, false, "service.unpublish done crm-2"},
			{"publish without the right", "", 0, func(ctx context.Context) error { _, err := x.Publish(ctx, "crm-2"); return err }, true, "service.publish refused crm-2: this is not allowed"},
			{"settle", "", 0, func(ctx context.Context) error { _, err := x.SettleDoubts(ctx, "crm-2", true); return err }, false, "service.settle begun crm-2\nservice.settle done crm-2"},
			{"consent without the right", "", 0, func(ctx context.Context) error { _, err := x.ConsentHosts(ctx, []string{"a.example"}); return err }, true, "service.consent_hosts refused : this is not allowed"},
			{"consent that nobody waits for", access.RoleOwner, 0, func(ctx context.Context) error { _, err := x.ConsentHosts(ctx, []string{"a.example"}); return err }, false,
				"service.consent_hosts begun \nservice.consent_hosts refused : no service waits for these hosts alone"},
			{"delete without the right", access.RoleOperator, 0, func(ctx context.Context) error { _, err := x.Delete(ctx, "crm-2"); return err }, true, "service.delete refused crm-2: this is not allowed"},
			{"delete what is used", "", 0, func(ctx context.Context) error { _, err := x.Delete(ctx, "used"); return err }, true, "service.delete refused used: "},
			{"make a key that is not declared", "", 0, func(ctx context.Context) error { _, err := x.MakeKey(ctx, "used", "k"); return err }, true, "service.key_make refused used: the plugin of used named"},
			{"import one", "", 0, func(ctx context.Context) error { _, err := x.ImportKey(ctx, "used", "k", "pem"); return err }, true, "service.key_import refused used: "},
			{"remove one that there is not", "", 0, func(ctx context.Context) error { return x.RemoveKey(ctx, "used", "k", "kid") }, true, "service.key_remove refused used: "},
			{"make a key without the right", access.RoleViewer, 0, func(ctx context.Context) error { _, err := x.MakeKey(ctx, "used", "k"); return err }, true, "service.key_make refused used: this is not allowed"},
			{"delete", "", 0, func(ctx context.Context) error { _, err := x.Delete(ctx, "crm-2"); return err }, false, "service.delete done crm-2"},
		} {
			if s.answer != 0 {
				r.Answer.Store(s.answer)
			}
			role := s.role
			if role == "" {
				role = access.RoleAdministrator
			}
			if err := s.do(r.As(t.Context(), role)); s.bad != (err != nil) {
				t.Errorf("%s: %v", s.name, err)
			}
			if got := r.Records(t, &seq); got != s.want && (!s.bad || !strings.HasPrefix(got, s.want)) {
				t.Errorf("%s: recorded\n%s\nwant\n%s", s.name, got, s.want)
			}
		}
		if _, err := r.Store.Services.ServiceByName(t.Context(), "used"); err != nil {
			t.Error(err)
		}
	})
}

func TestAnAdministratorsKeyConsentsOnlyIfAnOwnerMadeIt(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x := of(r, nil)
		for maker, may := range map[string]bool{access.MadeByHub: true, "nobody": false} {
			key := peopledb.APIKey{ID: store.NewID(), Title: "deploy", Scopes: []string{access.ScopeAdmin}, CreatedBy: maker}
			_, err := x.ConsentHosts(act.With(t.Context(), act.Key(key, "")), []string{"a.example"})
			if may != (err == nil) || !may && !errors.Is(err, act.ErrNotAllowed) {
				t.Errorf("a key made by %s: %v", maker, err)
			}
		}
	})
}

func TestRequestsForServicesAreRecorded(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		told, seq := 0, int64(0)
		x := of(r, func() { told++ })
		limit := servicedb.FrontLimit{PerAddress: 1, InTotal: 5, Within: time.Hour}
		ask := func() (string, error) {
			q := noticedb.ServiceRequest{ID: store.NewID(), Service: "CRM", Purpose: "sales", Contact: "ann", Source: noticedb.RequestByFront, CreatedAt: time.Now()}
			return q.ID, x.AskFor(act.With(t.Context(), act.Link("front", "", "198.51.100.7", "")), q, "198.51.100.7", limit)
		}
		id, err := ask()
		apptest.Must(t, err)
		if _, err := ask(); !errors.Is(err, servicedb.ErrTooOften) {
			t.Errorf("the second time: %v", err)
		}
		admin := r.As(t.Context(), access.RoleAdministrator)
		if _, err := x.Done(r.As(t.Context(), access.RoleViewer), id); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("a viewer: %v", err)
		}
		if q, err := x.Done(admin, id); err != nil || q.DecidedBy != access.RoleAdministrator {
			t.Errorf("decided by %s: %v", q.DecidedBy, err)
		}
		if _, err := x.Decline(admin, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a second decision: %v", err)
		}
		want := "request.add done " + id + "\nrequest.done refused " + id + ": this is not allowed\nrequest.done done " + id + "\nrequest.decline refused " + id + ": "
		if got := r.Records(t, &seq); !strings.HasPrefix(got, want) || told != 1 {
			t.Errorf("told %d times, recorded\n%s", told, got)
		}
	})
}
