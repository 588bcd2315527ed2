package identity_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// used opens the database of a data folder as a hub does, and closes it.
func used(t *testing.T, dir string, box *seal.Box, moves bool, look func(d *identity.Data)) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DataDir: dir, Box: box})
	must(t, err)
	d, err := identity.CheckData(t.Context(), identity.DataOptions{
		Store: s, Logger: hclog.NewNullLogger(), Dir: dir, File: filepath.Join(dir, "evergrant.db"), Moves: moves,
	})
	must(t, err)
	look(d)
	must(t, s.Close())
}

func TestADataFolderThatWasCopiedIsSuspectedUntilItIsAdopted(t *testing.T) {
	box, dir := storetest.Box(t), t.TempDir()
	wants := func(dir string, moves, want bool) {
		t.Helper()
		used(t, dir, box, moves, func(d *identity.Data) {
			if d.Suspected() != want {
				t.Errorf("suspected: %t", d.Suspected())
			}
		})
	}
	wants(dir, false, false)
	wants(dir, false, false) // a restart
	moved := filepath.Join(t.TempDir(), "moved")
	must(t, os.Rename(dir, moved))
	wants(moved, false, false)

	at := copied(t, moved)
	wants(at, false, true)
	wants(at, false, true) // a restart changes nothing
	wants(copied(t, at), true, false)
	again := copied(t, at)
	must(t, identity.AskToAdopt(at, filepath.Join(at, "evergrant.db")))
	asked := copied(t, at)
	wants(asked, false, true) // the wish came along, and was for the other one
	wants(at, false, false)
	wants(at, false, false)
	used(t, again, box, false, func(d *identity.Data) {
		must(t, d.Look(t.Context()))
		if !d.Suspected() {
			t.Error("nobody has asked to adopt it")
		}
		must(t, identity.AskToAdopt(again, filepath.Join(again, "evergrant.db")))
		if must(t, d.Look(t.Context())); d.Suspected() {
			t.Error("a hub that runs does not see that it was asked")
		}
	})
}

func TestADatabaseOnAnotherMachineIsSuspected(t *testing.T) {
	box, dir := storetest.Box(t), t.TempDir()
	used(t, dir, box, false, func(*identity.Data) {})
	here, err := identity.PlaceOf(filepath.Join(dir, "evergrant.db"))
	must(t, err)
	if here.Machine == "" {
		t.Skip("this machine has no id")
	}
	s, err := store.Open(t.Context(), store.Options{DataDir: dir, Box: box})
	must(t, err)
	value, err := s.Setting(t.Context(), identity.SettingDataPlace)
	must(t, err)
	other := []byte(value)
	other[len(`{"machine":"`)] ^= 1
	must(t, s.SetSetting(t.Context(), identity.SettingDataPlace, string(other)))
	must(t, s.Close())
	used(t, dir, box, false, func(d *identity.Data) {
		if !d.Suspected() {
			t.Error("the same file on another machine is believed")
		}
	})
}
