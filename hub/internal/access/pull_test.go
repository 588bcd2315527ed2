package access_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// Which key may pull which connection, and what one that may not is answered.
func TestWhichKeyMayPull(t *testing.T) {
	now := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	const here = "203.0.113.7"
	row := func(change func(*store.PullRow)) store.PullRow {
		r := store.PullRow{KeyFound: true, Key: store.PullKey{ID: "k", Scopes: []string{access.ScopeTokenRead}}, ConnectionFound: true, ConnectionID: "c", Named: true}
		change(&r)
		return r
	}
	for _, test := range []struct {
		name   string
		change func(*store.PullRow)
		want   error
	}{
		{"it names the connection", func(*store.PullRow) {}, nil},
		{"it has a tag of it", func(r *store.PullRow) { r.Named, r.Tag = false, "moscow" }, nil},
		{"it opens all", func(r *store.PullRow) { r.Named, r.Key.AllConnections = false, true }, nil},
		{"it administers", func(r *store.PullRow) { r.Named, r.Key.Scopes = false, []string{access.ScopeAdmin} }, nil},
		{"no such key", func(r *store.PullRow) { *r = store.PullRow{} }, access.ErrBadKey},
		{"it has expired", func(r *store.PullRow) { r.Key.ExpiresAt = now }, access.ErrBadKey},
		{"it expires later", func(r *store.PullRow) { r.Key.ExpiresAt = now.Add(time.Millisecond) }, nil},
		{"it is revoked", func(r *store.PullRow) { r.Key.RevokedAt = now.Add(time.Hour) }, access.ErrBadKey},
		{"a revoked administrator", func(r *store.PullRow) { r.Key.RevokedAt, r.Key.Scopes = now, []string{access.ScopeAdmin} }, access.ErrBadKey},
		{"from its network", func(r *store.PullRow) { r.Key.Addresses = []string{"203.0.113.0/24"} }, nil},
		{"from another network", func(r *store.PullRow) { r.Key.Addresses = []string{"10.0.0.0/8"} }, access.ErrAddress},
		{"an administrator from another network", func(r *store.PullRow) {
			r.Key.Addresses, r.Key.Scopes = []string{"10.0.0.0/8"}, []string{access.ScopeAdmin}
		}, access.ErrAddress},
		{"it may read the status alone", func(r *store.PullRow) { r.Key.Scopes = []string{access.ScopeConnectionRead} }, access.ErrForbidden},
		{"it opens all, but reads the status alone", func(r *store.PullRow) {
			r.Key.AllConnections, r.Key.Scopes = true, []string{access.ScopeConnectionRead}
		}, access.ErrForbidden},
		{"another connection", func(r *store.PullRow) { r.Named = false }, access.ErrNotForKey},
		{"a wrong name", func(r *store.PullRow) { r.ConnectionFound, r.Named = false, false }, access.ErrNotForKey},
		{"a wrong name for one that opens all", func(r *store.PullRow) {
			r.ConnectionFound, r.Named, r.Key.AllConnections = false, false, true
		}, store.ErrNotFound},
		{"a wrong name for an administrator", func(r *store.PullRow) {
			r.ConnectionFound, r.Named, r.Key.Scopes = false, false, []string{access.ScopeAdmin}
		}, store.ErrNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := access.MayPull(row(test.change), here, now); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// A key opens what it names and what has one of its tags, as its pulls do.
func TestAKeyOpensWhatItNamesAndWhatHasItsTag(t *testing.T) {
	s := storetest.SQLite(t)
	a := access.New(s)
	for name, test := range map[string]struct {
		key  peopledb.APIKey
		want bool
	}{
		"all": {peopledb.APIKey{AllConnections: true}, true}, "by name": {peopledb.APIKey{ConnectionIDs: []string{"x", "c"}}, true},
		"another one": {peopledb.APIKey{ConnectionIDs: []string{"x"}}, false}, "a tag that nothing has": {peopledb.APIKey{Tags: []string{"moscow"}}, false},
		"nothing": {peopledb.APIKey{}, false},
	} {
		if got, err := a.Opens(t.Context(), test.key, "c"); err != nil || got != test.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
