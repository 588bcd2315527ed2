package newest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// A backup takes entries as they are and puts them back, and they open with the key alone.
func TestEntriesGoThroughABackupAsTheyAreSealed(t *testing.T) {
	dir, box := t.TempDir(), storetest.Box(t)
	k, _ := openIn(t, dir, box)
	want := entry("c1", "l1", 7, "plain-refresh-7")
	check(t, k.Put(t.Context(), want))
	check(t, k.Put(t.Context(), entry("c2", "l2", 1, "plain-refresh-1")))
	var taken []newest.Sealed
	check(t, newest.ReadSealed(t.Context(), dir, func(s newest.Sealed) error { taken = append(taken, s); return nil }))
	if len(taken) != 2 {
		t.Fatalf("taken are %d entries", len(taken))
	}
	for _, s := range taken {
		if err := s.Check(box); err != nil {
			t.Errorf("%s does not open: %v", s.ConnectionID, err)
		}
		if s.Check(storetest.Box(t)) == nil {
			t.Errorf("%s opens with another key", s.ConnectionID)
		}
		if moved := s; moved.ConnectionID != "c9" {
			moved.ConnectionID = "c9"
			if moved.Check(box) == nil {
				t.Error("an entry opens as another connection's")
			}
		}
	}
	full := errors.New("the disk is full")
	if err := newest.ReadSealed(t.Context(), dir, func(newest.Sealed) error { return full }); !errors.Is(err, full) {
		t.Errorf("who reads cannot end it: %v", err)
	}
	check(t, newest.ReadSealed(t.Context(), t.TempDir(), func(newest.Sealed) error { t.Error("an entry of no file"); return nil }))

	other, _ := openIn(t, t.TempDir(), box)
	check(t, other.PutSealed(t.Context(), taken...))
	got, there, err := other.Newest(t.Context(), "c1", "l1")
	if err != nil || !there || got.Tokens.RefreshToken != want.Tokens.RefreshToken || got.Generation != 7 {
		t.Errorf("put back is %+v, %t, %v", got, there, err)
	}
}

// The file says from when on it is complete, for whoever compares it with a database.
func TestTheFileKnowsItsExtent(t *testing.T) {
	begun := time.Now().Add(-time.Second)
	k, _ := openIn(t, t.TempDir(), storetest.Box(t))
	first, err := k.Extent(t.Context())
	if err != nil || first.Since.Before(begun) || !first.DroppedAt.IsZero() {
		t.Fatalf("%+v %v", first, err)
	}
	check(t, k.Truncated(t.Context()))
	if later, err := k.Extent(t.Context()); err != nil || !later.Since.After(first.Since) {
		t.Errorf("put back from a copy, it is complete since %s, and was since %s: %v", later.Since, first.Since, err)
	}
}
