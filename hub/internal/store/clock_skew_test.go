package store_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestAClockThatWasSetBackLeavesNothingNeverDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		ahead := addGranted(t, s, svc.ID, "ahead")
		paused := addGranted(t, s, svc.ID, "paused").Paused(noon)
		check(t, s.Grants.UpdateConnection(t.Context(), paused, paused))
		back := noon.Add(-365 * 24 * time.Hour)
		for range 2 { // a second look finds nothing to do
			if _, err := s.Renewals.CorrectClockSkew(t.Context(), back); err != nil {
				t.Fatal(err)
			}
		}
		got := read(t, s, ahead.ID)
		if wait := got.Due.Sub(back); wait < 0 || wait > time.Hour {
			t.Errorf("it is due in %s", wait)
		}
		if !got.Tokens.ExpiresAt.Equal(cut(back.Add(time.Hour))) || got.Tokens.RefreshToken != "plain-refresh-1" || got.Generation != 1 {
			t.Errorf("it expires %s after now, generation %d", got.Tokens.ExpiresAt.Sub(back), got.Generation)
		}
		if n, err := s.Renewals.CorrectClockSkew(t.Context(), back); n != 0 || err != nil {
			t.Errorf("a further look changed %d, %v", n, err)
		}
		if p := read(t, s, paused.ID); !p.Due.IsZero() {
			t.Error("what is paused is due")
		}
		claimed, err := s.Renewals.ClaimDue(t.Context(), back.Add(time.Hour), storetest.Enter(t, s, "me"), time.Minute, 1, 10)
		if err != nil || len(claimed) != 1 {
			t.Errorf("%d are claimed, %v", len(claimed), err)
		}
	})
}

func TestTrueDatesStayAsTheyAre(t *testing.T) {
	s := storetest.SQLite(t)
	c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
	if n, err := s.Renewals.CorrectClockSkew(t.Context(), noon.Add(-time.Minute)); n != 0 || err != nil {
		t.Errorf("%d changed, %v", n, err)
	}
	if got := read(t, s, c.ID); !got.Due.Equal(cut(c.Due)) {
		t.Errorf("due moved from %s to %s", c.Due, got.Due)
	}
}
