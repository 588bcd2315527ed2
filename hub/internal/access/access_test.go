package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

const password = "correct horse battery"

func setUp(t *testing.T) (*access.Access, *store.Store, peopledb.User) {
	t.Helper()
	st := storetest.SQLite(t)
	a := access.New(st)
	token, err := a.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	user, err := a.SetupWith(t.Context(), token, "Admin@Example.test", "Admin", password, "en")
	if err != nil {
		t.Fatal(err)
	}
	return a, st, user
}

func TestTheSetupLinkIsGoodOnce(t *testing.T) {
	st := storetest.SQLite(t)
	a := access.New(st)
	first, err := a.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the first replica's": first, "the second's": second} {
		if open, err := a.SetupOpen(t.Context(), token); err != nil || !open {
			t.Errorf("%s link is void: %v", name, err)
		}
	}
	if _, err := a.SetupWith(t.Context(), first, "a", "", "short", ""); !errors.Is(err, access.ErrWeakPassword) {
		t.Errorf("a short password: %v", err)
	}
	if _, err := a.SetupWith(t.Context(), first, "a", "", password, ""); err != nil {
		t.Fatalf("a refused attempt spent the link: %v", err)
	}
	if open, err := a.SetupOpen(t.Context(), second); err != nil || open {
		t.Errorf("the other replica's link is good after the set-up: %v", err)
	}
	if _, err := a.SetupWith(t.Context(), second, "b", "", password, ""); !errors.Is(err, access.ErrSetupDone) {
		t.Errorf("the link works twice: %v", err)
	}
	if token, err := a.SetupToken(t.Context()); token != "" || err != nil {
		t.Errorf("a hub with an administrator offers another link: %v", err)
	}
}

func TestLogin(t *testing.T) {
	a, _, user := setUp(t)
	got, err := a.Login(t.Context(), "admin@example.TEST ", password, "10.0.0.1")
	if err != nil || got.ID != user.ID {
		t.Fatalf("the right password: %v", err)
	}
	for name, login := range map[string]string{"wrong password": "admin@example.test", "nobody": "nobody"} {
		if _, err := a.Login(t.Context(), login, "wrong password", "10.0.0.2"); !errors.Is(err, access.ErrWrongLogin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if strings.Contains(got.PasswordHash, password) || !strings.HasPrefix(got.PasswordHash, "$argon2id$") {
		t.Error("the password is not hashed as it should be")
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: each of its passwords is hashed for a tenth of a second")
	}
	a, _, _ := setUp(t)
	for range 5 {
		_, _ = a.Login(t.Context(), "admin@example.test", "a wrong guess", "10.0.0.9")
	}
	_, err := a.Login(t.Context(), "admin@example.test", password, "10.0.0.9")
	wait, ok := errors.AsType[*access.TooManyError](err)
	if !ok || wait.RetryAfter <= 0 {
		t.Fatalf("the sixth attempt got %v", err)
	}
	if _, err := a.Login(t.Context(), "admin@example.test", password, "10.0.0.10"); err != nil {
		t.Errorf("somebody else's guesses keep the person out: %v", err)
	}
}

func TestChangePassword(t *testing.T) {
	a, _, user := setUp(t)
	if err := a.ChangePasswordWith(t.Context(), user.ID, "not the present one", "another long one"); !errors.Is(err, access.ErrWrongLogin) {
		t.Errorf("the present password was not asked for: %v", err)
	}
	if err := a.ChangePasswordWith(t.Context(), user.ID, password, "another long one"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Login(t.Context(), user.Login, "another long one", "x"); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestAPIKeys(t *testing.T) {
	a, st, user := setUp(t)
	key, stored, err := a.CreateKey(t.Context(), access.KeyDraft{Title: "cron", AllConnections: true, CreatedBy: user.ID})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(key, stored.Prefix) || strings.Contains(stored.Hash, key) || len(key) < 40 {
		t.Error("the key is not what is stored of it")
	}
	if got, err := a.Authenticate(t.Context(), "bearer "+key, ""); err != nil || got.ID != stored.ID || access.MayAdminister(got) {
		t.Errorf("the key: %v", err)
	}
	for name, header := range map[string]string{"none": "", "basic": "Basic " + key, "empty": "Bearer "} {
		if _, err := a.Authenticate(t.Context(), header, ""); !errors.Is(err, access.ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.Authenticate(t.Context(), "Bearer "+key+"x", ""); !errors.Is(err, access.ErrBadKey) {
		t.Errorf("a wrong key: %v", err)
	}
	if err := st.People.RevokeAPIKey(t.Context(), stored.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(t.Context(), "Bearer "+key, ""); !errors.Is(err, access.ErrBadKey) {
		t.Errorf("a revoked key: %v", err)
	}
}

func TestKeysThatMakeNoSenseAreRefused(t *testing.T) {
	a, _, _ := setUp(t)
	for want, draft := range map[error]access.KeyDraft{
		access.ErrKeyTitle:  {Title: "  "},
		access.ErrScope:     {Title: "x", Scopes: []string{"everything"}},
		access.ErrKeyFrom:   {Title: "x", Addresses: []string{"office"}},
		access.ErrKeyExpiry: {Title: "x", ExpiresAt: time.Now().Add(-time.Minute)},
	} {
		if _, _, err := a.CreateKey(t.Context(), draft); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestAnExpiredKeyOpensNothing(t *testing.T) {
	now := time.Now()
	for name, k := range map[string]peopledb.APIKey{
		"expired": {ExpiresAt: now}, "revoked": {RevokedAt: now.Add(-time.Hour)},
	} {
		if err := access.Usable(k, now); !errors.Is(err, access.ErrBadKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := access.Usable(peopledb.APIKey{ExpiresAt: now.Add(time.Second)}, now); err != nil {
		t.Errorf("a good key: %v", err)
	}
}
