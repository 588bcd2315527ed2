package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

var _ scs.CtxStore = (*peopledb.Sessions)(nil)

func newUser(login string) peopledb.User {
	return peopledb.User{
		ID: store.NewID(), Login: login, Name: "Анна", PasswordHash: "$argon2id$…", Role: "admin", Lang: "ru", Theme: "dark",
		CreatedAt: cut(noon), UpdatedAt: cut(noon),
	}
}

func TestLoginIsFoundInAnyCase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := newUser("Анна")
		check(t, s.People.CreateUser(t.Context(), want))
		got, err := s.People.UserByLogin(t.Context(), "АННА")
		check(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v", got)
		}
		err = s.People.CreateUser(t.Context(), newUser("анна"))
		wantErr(t, err, store.ErrNameTaken)
		if taken, ok := errors.AsType[*store.NameTakenError](err); !ok || taken.Field != "login" {
			t.Errorf("%v", err)
		}
		_, err = s.People.UserByLogin(t.Context(), "boris")
		wantErr(t, err, store.ErrNotFound)
	})
}

// What a person changes of themselves undoes nothing that somebody else has changed.
func TestOwnSettingsUndoNoDemotion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := newUser("anna")
		check(t, s.People.CreateUser(t.Context(), u))
		_, err := s.People.ChangeUser(t.Context(), u.ID, "owner", func(c *peopledb.User) error {
			c.Role = "viewer"
			return nil
		})
		check(t, err)
		check(t, s.People.SetLang(t.Context(), u.ID, "ru", noon))
		check(t, s.People.SetPassword(t.Context(), u.ID, u.PasswordHash, "next", noon))
		got, err := s.People.User(t.Context(), u.ID)
		check(t, err)
		if got.Role != "viewer" || got.Lang != "ru" || got.PasswordHash != "next" {
			t.Errorf("%+v", got)
		}
		wantErr(t, s.People.SetPassword(t.Context(), u.ID, u.PasswordHash, "third", noon), store.ErrStale)
		_, err = s.People.ChangeUser(t.Context(), u.ID, "owner", func(c *peopledb.User) error {
			c.DisabledAt = noon
			return nil
		})
		check(t, err)
		wantErr(t, s.People.SetPassword(t.Context(), u.ID, "next", "third", noon), store.ErrStale)
		wantErr(t, s.People.SetLang(t.Context(), "nobody", "ru", noon), store.ErrNotFound)
	})
}

func TestUserIsChangedAndDeleted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := newUser("anna")
		check(t, s.People.CreateUser(t.Context(), u))
		check(t, s.People.CreateUser(t.Context(), newUser("boris")))
		check(t, s.People.NoteLogin(t.Context(), u.ID, noon))
		noted, err := s.People.User(t.Context(), u.ID)
		check(t, err)
		if !noted.LastLoginAt.Equal(cut(noon)) {
			t.Errorf("the login was not noted: %+v", noted)
		}
		rename := func(to string) error {
			_, err := s.People.ChangeUser(t.Context(), u.ID, "owner", func(c *peopledb.User) error {
				c.Login, c.Theme, c.LastLoginAt = to, "", noon.Add(time.Hour)
				return nil
			})
			return err
		}
		check(t, rename("anna2"))
		got, err := s.People.User(t.Context(), u.ID)
		check(t, err)
		if got.Login != "anna2" || got.Theme != "" || !got.LastLoginAt.Equal(cut(noon.Add(time.Hour))) || !got.CreatedAt.Equal(cut(noon)) {
			t.Errorf("%+v", got)
		}
		wantErr(t, rename("BORIS"), store.ErrNameTaken)
		all, err := s.People.Users(t.Context())
		check(t, err)
		if len(all) != 2 || all[0].Login != "anna2" {
			t.Errorf("%v", all)
		}
		check(t, s.People.DeleteUser(t.Context(), u.ID))
		wantErr(t, s.People.DeleteUser(t.Context(), u.ID), store.ErrNotFound)
		if n, err := s.People.CountUsers(t.Context()); n != 1 || err != nil {
			t.Errorf("%d users, %v", n, err)
		}
	})
}

func TestOnlyOneFirstUserIsMade(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var made atomic.Int32
		var tries sync.WaitGroup
		for i := range 10 {
			tries.Go(func() {
				switch err := s.People.CreateFirstUser(t.Context(), newUser(string(rune('a'+i)))); {
				case err == nil:
					made.Add(1)
				case !errors.Is(err, store.ErrInUse):
					t.Error(err)
				}
			})
		}
		tries.Wait()
		if n, err := s.People.CountUsers(t.Context()); n != 1 || made.Load() != 1 || err != nil {
			t.Errorf("%d users, %d made, %v", n, made.Load(), err)
		}
	})
}

func TestBrowserKeepsItsSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		manager := scs.New()
		manager.Store, manager.HashTokenInStore = s.People.Sessions(), true
		handler := manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if login := r.FormValue("login"); login != "" {
				manager.Put(r.Context(), "login", login)
			}
			if r.FormValue("logout") != "" {
				check(t, manager.Destroy(r.Context()))
				return
			}
			_, _ = w.Write([]byte(manager.GetString(r.Context(), "login")))
		}))
		var cookies []*http.Cookie
		get := func(path string) string {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			for _, cookie := range cookies {
				r.AddCookie(cookie)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if set := w.Result().Cookies(); len(set) > 0 {
				cookies = set
			}
			return w.Body.String()
		}
		get("/?login=anna")
		first := cookies
		if got := get("/"); got != "anna" {
			t.Errorf("the session says %q", got)
		}
		get("/?logout=1")
		cookies = first
		if got := get("/"); got != "" {
			t.Errorf("after the logout the session says %q", got)
		}
	})
}

// A request that was under way while its person logged out, or got a new token, must not
// write the session anew.
func TestASessionThatWasEndedIsNotBroughtBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		sessions := s.People.Sessions()
		until := time.Now().Add(time.Hour)
		check(t, sessions.Commit("mine", []byte("signed in"), until))
		check(t, sessions.Delete("mine"))
		check(t, sessions.Commit("mine", []byte("signed in"), until))
		if data, found, err := sessions.Find("mine"); found || err != nil {
			t.Errorf("an ended session says %q, %v", data, err)
		}
	})
}

func TestASessionThatIsNotUsedSignsNobodyIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := newUser("anna")
		check(t, s.People.CreateUser(t.Context(), u))
		session := peopledb.UserSession{ID: store.NewID(), UserID: u.ID, CreatedAt: noon, SeenAt: noon}
		check(t, s.People.CreateUserSession(t.Context(), session))
		if _, _, err := s.People.SessionUser(t.Context(), session.ID, noon); err != nil {
			t.Error(err)
		}
		_, _, err := s.People.SessionUser(t.Context(), session.ID, noon.Add(time.Second))
		wantErr(t, err, store.ErrNotFound)
	})
}

func TestSessionEndsInTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		sessions := s.People.Sessions()
		check(t, sessions.Commit("over", []byte("x"), time.Now().Add(-time.Second)))
		check(t, sessions.Commit("open", []byte("x"), time.Now().Add(time.Hour)))
		check(t, sessions.Commit("open", []byte("y"), time.Now().Add(2*time.Hour)))
		if _, found, err := sessions.Find("over"); found || err != nil {
			t.Errorf("a session that is over was found, %v", err)
		}
		if data, found, err := sessions.Find("open"); string(data) != "y" || !found || err != nil {
			t.Errorf("%q, %v, %v", data, found, err)
		}
		check(t, s.People.DeleteExpiredSessions(t.Context(), time.Now().Add(3*time.Hour)))
		if _, found, err := sessions.Find("open"); found || err != nil {
			t.Errorf("it was not removed, %v", err)
		}
		check(t, sessions.Delete("open"))
	})
}

func newKey(hash string, connections ...string) peopledb.APIKey {
	return peopledb.APIKey{
		ID: store.NewID(), Title: "отчёты", Prefix: "evg_ab12", Hash: hash, Scopes: []string{"token:read", "connection:read"},
		ConnectionIDs: connections, ExpiresAt: cut(noon).AddDate(1, 0, 0), CreatedAt: cut(noon), CreatedBy: "anna",
		Tags: []string{"moscow", "sales"}, Addresses: []string{"10.0.0.0/8", "203.0.113.7/32"},
	}
}

func TestAPIKeyComesBackAndIsRevokedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		one, two := addGranted(t, s, svc.ID, "one"), addGranted(t, s, svc.ID, "two")
		want := newKey("hash", one.ID, two.ID)
		check(t, s.People.CreateAPIKey(t.Context(), want))
		check(t, s.People.CreateAPIKey(t.Context(), newKey("other")))
		got, err := s.People.APIKeyByHash(t.Context(), "hash")
		check(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("came back as %+v", got)
		}
		check(t, s.People.TouchAPIKey(t.Context(), want.ID, noon))
		check(t, s.People.RevokeAPIKey(t.Context(), want.ID, noon))
		check(t, s.People.RevokeAPIKey(t.Context(), want.ID, noon.Add(time.Hour)))
		wantErr(t, s.People.RevokeAPIKey(t.Context(), store.NewID(), noon), store.ErrNotFound)
		removeForGood(t, s, two.ID)
		all, err := s.People.APIKeys(t.Context())
		check(t, err)
		if len(all) != 2 {
			t.Fatalf("%d keys", len(all))
		}
		got = all[1]
		if !got.RevokedAt.Equal(cut(noon)) || !got.LastUsedAt.Equal(cut(noon)) || !reflect.DeepEqual(got.ConnectionIDs, []string{one.ID}) {
			t.Errorf("%+v", got)
		}
		wantErr(t, s.People.CreateAPIKey(t.Context(), newKey("lost", two.ID)), store.ErrNotFound)
		_, err = s.People.APIKeyByHash(t.Context(), "lost")
		wantErr(t, err, store.ErrNotFound)
	})
}

func TestPullFindsWhatLinksKeyAndConnection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		one, two := addGranted(t, s, svc.ID, "one"), addGranted(t, s, svc.ID, "two")
		some, all := newKey("some", one.ID), newKey("all")
		all.AllConnections = true
		tagged := newKey("tagged")
		tagged.Tags = []string{"kazan", "riga"}
		check(t, s.Grants.AddTag(t.Context(), two.ID, "riga"))
		check(t, s.People.CreateAPIKey(t.Context(), tagged))
		check(t, s.People.CreateAPIKey(t.Context(), some))
		check(t, s.People.CreateAPIKey(t.Context(), all))
		check(t, s.People.RevokeAPIKey(t.Context(), all.ID, noon))
		for _, test := range []struct {
			hash, name, tag   string
			key, found, named bool
		}{
			{"some", "one", "", true, true, true},
			{"some", "two", "", true, true, false},
			{"some", "gone", "", true, false, false},
			{"all", "two", "", true, true, false},
			{"all", "gone", "", true, false, false},
			{"tagged", "two", "riga", true, true, false},
			{"tagged", "one", "", true, true, false},
			{"wrong", "one", "", false, false, false},
		} {
			got, err := s.Pull(t.Context(), test.hash, test.name)
			check(t, err)
			if got.KeyFound != test.key || got.ConnectionFound != test.found || got.Named != test.named || got.Tag != test.tag {
				t.Errorf("%s pulls %s: %+v", test.hash, test.name, got)
			}
		}
		before, err := s.Pull(t.Context(), "some", "one")
		check(t, err)
		if before.ConnectionID != one.ID || before.Generation != 1 || !before.UpdatedAt.Equal(read(t, s, one.ID).UpdatedAt) ||
			before.State != "active" || before.Key.ID != some.ID || !reflect.DeepEqual(before.Key.Scopes, some.Scopes) ||
			!before.Key.ExpiresAt.Equal(cut(some.ExpiresAt)) || !before.Key.RevokedAt.IsZero() {
			t.Errorf("%+v", before)
		}
		intent := intentFor(one, storetest.Enter(t, s, "me"))
		begin(t, s, intent)
		begun, err := s.Renewals.OpenIntent(t.Context(), one.ID)
		check(t, err)
		if under, err := s.Pull(t.Context(), "some", "one"); err != nil || !before.BegunAt.IsZero() || !under.BegunAt.Equal(begun.BegunAt) {
			t.Errorf("a renewal that began at %s shows as %s, before it as %s, %v", begun.BegunAt, under.BegunAt, before.BegunAt, err)
		}
		check(t, s.Renewals.DropIntent(t.Context(), intent.ID))
		check(t, s.Grants.UpdateConnection(t.Context(), one.Paused(noon), one))
		after, err := s.Pull(t.Context(), "some", "one")
		check(t, err)
		if after.UpdatedAt.Equal(before.UpdatedAt) || after.State != "paused" {
			t.Errorf("a pause at the same millisecond does not show: %+v", after)
		}
		if revoked, err := s.Pull(t.Context(), "all", two.Name); err != nil || revoked.Key.RevokedAt.IsZero() {
			t.Errorf("%+v, %v", revoked, err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.Pull(ended, "some", "one")
		wantErr(t, err, context.Canceled)
	})
}

// A pull may be answered from memory, but never with what is not true any more.
func TestAPullSeesEveryChangeAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		check(t, s.People.CreateAPIKey(t.Context(), peopledb.APIKey{ID: store.NewID(), Title: "k", Hash: "hash", Scopes: []string{"token:read"}, ConnectionIDs: []string{c.ID}}))
		pull := func() store.PullRow {
			t.Helper()
			row, err := s.Pull(t.Context(), "hash", "sales")
			check(t, err)
			return row
		}
		key := pull().Key.ID
		for what, change := range map[string]func() error{
			"a renewal": func() error {
				now := read(t, s, c.ID)
				return s.Renewals.SaveRenewal(t.Context(), now.Renewed(noon, noon, provider.Token{AccessToken: "next"}), now.Generation, "", "")
			},
			"a pause": func() error {
				now := read(t, s, c.ID)
				return s.Grants.UpdateConnection(t.Context(), now.Paused(noon), now)
			},
			"a new title":   func() error { return s.Grants.RenameConnection(t.Context(), c.ID, "Other") },
			"a use":         func() error { return s.People.TouchAPIKey(t.Context(), key, noon) },
			"a revoked key": func() error { return s.People.RevokeAPIKey(t.Context(), key, noon) },
		} {
			before := pull()
			if again := pull(); !reflect.DeepEqual(before, again) {
				t.Fatalf("two pulls without a change differ")
			}
			check(t, change())
			if after := pull(); reflect.DeepEqual(before, after) {
				t.Errorf("%s is not seen", what)
			}
		}
		removeForGood(t, s, c.ID)
		if pull().ConnectionFound {
			t.Error("a deleted connection is found")
		}
	})
}

func TestManyPullsAtOnceGetTheirOwnAnswers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		var ids [8]string
		for n := range ids {
			ids[n] = addGranted(t, s, svc.ID, fmt.Sprint("c", n)).ID
			check(t, s.People.CreateAPIKey(t.Context(), peopledb.APIKey{
				ID: store.NewID(), Title: "k", Hash: fmt.Sprint("h", n), Scopes: []string{"token:read"}, ConnectionIDs: []string{ids[n]},
			}))
		}
		var wg sync.WaitGroup
		for n := range 200 {
			wg.Go(func() {
				key, name := n%8, n/8%9 // c8 does not exist
				row, err := s.Pull(t.Context(), fmt.Sprint("h", key), fmt.Sprint("c", name))
				if err != nil || !row.KeyFound || row.ConnectionFound != (name < 8) || row.Named != (key == name) {
					t.Errorf("key %d, connection %d: %+v, %v", key, name, row, err)
				}
				if row.ConnectionFound && row.ConnectionID != ids[name] {
					t.Errorf("connection %d is answered with another one", name)
				}
			})
		}
		wg.Wait()
	})
}
