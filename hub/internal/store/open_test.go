package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestHubsThatStartTogetherMigrateOnce(t *testing.T) {
	address, box := storetest.Postgres(t), storetest.Box(t)
	var hubs sync.WaitGroup
	for range 4 {
		hubs.Go(func() {
			s, err := store.Open(t.Context(), store.Options{URL: address, Box: box})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	hubs.Wait()
}

func TestDataOutlivesTheHub(t *testing.T) {
	folder, box := t.TempDir(), storetest.Box(t)
	options := store.Options{DataDir: filepath.Join(folder, "data #1"), Box: box}
	s, err := store.Open(t.Context(), options)
	check(t, err)
	svc := addService(t, s, "portal")
	c := addGranted(t, s, svc.ID, "sales")
	check(t, s.Close())

	again := storetest.OpenWith(t, options)
	if got := read(t, again, c.ID); got.Tokens.RefreshToken != "plain-refresh-1" {
		t.Error("the tokens were lost")
	}
	if again.Dialect() != store.SQLite || again.MultiReplica() {
		t.Error("SQLite is for one hub")
	}
	info, err := os.Stat(filepath.Join(options.DataDir, "evergrant.db"))
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the database: %s", info.Mode())
	}
	if _, err := store.Open(t.Context(), options); err == nil || !strings.Contains(err.Error(), "in use by another hub") {
		t.Errorf("a second hub opened the file: %v", err)
	}
	check(t, again.Close())
	other := storetest.OpenWith(t, store.Options{DataDir: options.DataDir})
	if _, err := other.Grants.Connection(t.Context(), c.ID); err == nil || !strings.Contains(err.Error(), "bring back the keyset") {
		t.Errorf("with another key: %v", err)
	}
}

func TestNoPlainSecretReachesTheFile(t *testing.T) {
	folder := t.TempDir()
	s := storetest.OpenWith(t, store.Options{DataDir: folder})
	svc := addService(t, s, "portal")
	c := addGranted(t, s, svc.ID, "sales")
	intent := intentFor(c, storetest.Enter(t, s, "me"))
	begin(t, s, intent)
	check(t, s.Renewals.KeepReply(t.Context(), intent.ID, []byte("plain-reply")))
	check(t, s.Renewals.SaveRenewal(t.Context(), c.Renewed(noon, noon, tokens("plain-access-2", "plain-refresh-2")), 1, "", "me"))
	check(t, s.Authorizations.CreateAuthorization(t.Context(), newAuthorization(svc.ID, "state")))
	check(t, s.People.Sessions().Commit("hashed", []byte("plain-session"), noon))

	var seen int
	check(t, filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		seen += bytes.Count(data, []byte("Битрикс24 — portal"))
		if at := bytes.Index(data, []byte("plain-")); at >= 0 {
			t.Errorf("%s holds %q", filepath.Base(path), data[at:at+20])
		}
		return err
	}))
	if seen == 0 {
		t.Error("the test did not look where the rows are")
	}
}

func TestWrongAddressIsRefusedWithoutItsPassword(t *testing.T) {
	box := storetest.Box(t)
	for _, options := range []store.Options{
		{URL: "mysql://hub:plain-password@host/db", Box: box},
		{URL: "postgres://hub:plain-pass%word@host/db", Box: box},
		{URL: "postgres://hub:plain-password@127.0.0.1:1/db?connect_timeout=1", Box: box},
		{URL: "sqlite:", Box: box},
		{Box: box},
		{DataDir: t.TempDir()},
	} {
		s, err := store.Open(t.Context(), options)
		if err == nil {
			t.Errorf("%q was opened", options.URL)
			check(t, s.Close())
			continue
		}
		if strings.Contains(err.Error(), "plain-") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	text := filepath.Join(t.TempDir(), "text.db")
	check(t, os.WriteFile(text, []byte(strings.Repeat("this is no database. ", 50)), 0o600))
	if _, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + text, Box: box}); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("a text file was opened: %v", err)
	}
}

func TestDatabaseOfANewerHubIsRefused(t *testing.T) {
	folder := t.TempDir()
	s := storetest.OpenWith(t, store.Options{DataDir: folder})
	store.Exec(t, s, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	check(t, s.Close())
	_, err := store.Open(t.Context(), store.Options{DataDir: folder, Box: storetest.Box(t)})
	if err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("%v", err)
	}
}

func TestMovedSecretDoesNotOpen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		one, two := addGranted(t, s, svc.ID, "one"), addGranted(t, s, svc.ID, "two")
		store.Exec(t, s, "UPDATE connections SET tokens = (SELECT o.tokens FROM connections o WHERE o.name = 'one') WHERE name = 'two'")
		if _, err := s.Grants.Connection(t.Context(), two.ID); err == nil || strings.Contains(err.Error(), "plain-") {
			t.Errorf("another connection's tokens opened: %v", err)
		}
		due, err := s.Renewals.ClaimDue(t.Context(), noon.AddDate(1, 0, 0), storetest.Enter(t, s, "me"), 1, 1, 10)
		check(t, err)
		if len(due) != 1 || due[0].ID != one.ID {
			t.Errorf("a damaged row stopped the others: %v", due)
		}
	})
}
