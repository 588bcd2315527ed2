package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// addPart adds the granted connection of a part.
func addPart(t *testing.T, s *store.Store, main connection.Connection, name string) connection.Connection {
	t.Helper()
	now := time.Now()
	c := main.NewPart(now, store.NewID(), main.Name+"-"+name, provider.Part{Name: name, Title: provider.Text{EN: name}}, "en").
		Granted(now, now, tokens("a1", "r1"), provider.Account{ID: "7"}, nil)
	check(t, s.Grants.CreateConnection(t.Context(), c))
	return read(t, s, c.ID)
}

func TestPartsAreFoundByTheirMainConnection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, svc := t.Context(), addService(t, s, "team")
		main, other := addGranted(t, s, svc.ID, "sales"), addGranted(t, s, svc.ID, "other")
		user, guest := addPart(t, s, main, "user"), addPart(t, s, main, "guest")
		addPart(t, s, other, "user")
		check(t, s.Grants.TrashConnection(ctx, guest.ID, "ann", time.Now()))
		parts, err := s.Grants.Parts(ctx, main.ID)
		check(t, err)
		if len(parts) != 2 || parts[0].ID != user.ID || parts[0].Trashed || parts[0].Part != "user" || parts[0].MainID != main.ID {
			t.Fatalf("found %+v", parts)
		}
		if g := parts[1]; g.ID != guest.ID || !g.Trashed || g.Name != "sales-guest" || g.State != connection.StateActive || g.Tokens.RefreshToken != "r1" {
			t.Errorf("in the trash: %+v", g.Connection)
		}
		if none, err := s.Grants.Parts(ctx, ""); err != nil || len(none) != 0 {
			t.Errorf("of no main one: %d, %v", len(none), err)
		}
		counts, err := s.Grants.CountParts(ctx, []string{main.ID, other.ID, user.ID})
		check(t, err)
		if len(counts) != 2 || counts[main.ID] != 1 || counts[other.ID] != 1 {
			t.Errorf("counted %v", counts)
		}
	})
}

// What shares an authorization with connections that are about to be deleted, and stays.
func TestWhatStaysOfAnAuthorizationIsFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, svc := t.Context(), addService(t, s, "team")
		main, other := addGranted(t, s, svc.ID, "sales"), addGranted(t, s, svc.ID, "other")
		addPart(t, s, main, "user")
		addPart(t, s, main, "robot")
		guest := addPart(t, s, main, "guest")
		addPart(t, s, other, "user")
		check(t, s.Grants.TrashConnection(ctx, guest.ID, "ann", time.Now()))
		for name, tt := range map[string]struct {
			deleted       []string
			parts, beside []string
		}{
			"a main one":              {[]string{"sales"}, []string{"sales-robot", "sales-user"}, nil},
			"a part":                  {[]string{"sales-user"}, nil, []string{"sales", "sales-robot"}},
			"a main one with a part":  {[]string{"sales", "sales-user"}, []string{"sales-robot"}, nil},
			"all of an authorization": {[]string{"sales", "sales-user", "sales-robot"}, nil, nil},
			"a part and another main": {[]string{"sales-robot", "other"}, []string{"other-user"}, []string{"sales", "sales-user"}},
			"all parts":               {[]string{"sales-user", "sales-robot"}, nil, []string{"sales"}},
			"parts of two":            {[]string{"sales-user", "other-user"}, nil, []string{"other", "sales", "sales-robot"}},
		} {
			t.Run(name, func(t *testing.T) {
				f := grantdb.Filter{Names: tt.deleted}
				parts, err := s.Grants.StayingParts(ctx, f, 10)
				check(t, err)
				beside, err := s.Grants.StayingBeside(ctx, f, 10)
				check(t, err)
				if !slices.Equal(parts.Names, tt.parts) || parts.Count != len(tt.parts) || !slices.Equal(beside.Names, tt.beside) || beside.Count != len(tt.beside) {
					t.Errorf("parts %+v, beside %+v", parts, beside)
				}
			})
		}
		if first, err := s.Grants.StayingParts(ctx, grantdb.Filter{Names: []string{"sales"}}, 1); err != nil || first.Count != 2 || len(first.Names) != 1 {
			t.Errorf("of many the first is named: %+v, %v", first, err)
		}
		if all, err := s.Grants.StayingParts(ctx, grantdb.Filter{}, 10); err != nil || all.Count != 0 {
			t.Errorf("nothing stays of all: %+v, %v", all, err)
		}
	})
}

func TestANewGrantOfADeletedConnectionIsKeptInTheTrash(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.Now()
		c := addPart(t, s, addGranted(t, s, addService(t, s, "team").ID, "sales"), "user")
		next := c.Granted(now, now, tokens("a2", "r2"), c.Account, nil)
		wantErr(t, s.Grants.GrantTrashed(ctx, next, c), store.ErrNotFound)
		check(t, s.Grants.TrashConnection(ctx, c.ID, "ann", now))
		wantErr(t, s.Grants.GrantTrashed(ctx, next, c), store.ErrStale) // the row was moved since
		trashed, err := s.Grants.Trashed(ctx, c.ID)
		check(t, err)
		check(t, s.Grants.GrantTrashed(ctx, trashed.Granted(now, now, tokens("a2", "r2"), c.Account, nil), trashed.Connection))
		wantErr(t, s.Grants.GrantTrashed(ctx, trashed.Granted(now, now, tokens("a3", "r3"), c.Account, nil), trashed.Connection), store.ErrStale)
		_, err = s.Grants.Connection(ctx, c.ID)
		wantErr(t, err, store.ErrNotFound)
		kept, err := s.Grants.Trashed(ctx, c.ID)
		check(t, err)
		if kept.TrashedBy != "ann" || !kept.TrashedAt.Equal(trashed.TrashedAt) || kept.Generation != 2 || kept.Tokens.RefreshToken != "r2" || kept.Lineage == c.Lineage {
			t.Errorf("kept as %+v", kept.Connection)
		}
		back, err := s.Grants.RestoreTrashed(ctx, c.ID, "sales-user", now)
		check(t, err)
		if back.State != connection.StateActive || back.Due.IsZero() || back.Tokens.RefreshToken != "r2" || back.MainID != c.MainID {
			t.Errorf("back as %+v", back)
		}
		if past, err := s.Grants.History(ctx, c.ID); err != nil || len(past) != 1 || past[0].Tokens.RefreshToken != "r1" {
			t.Errorf("of before are kept %d sets, %v", len(past), err)
		}
	})
}
