package store_test

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func record(n int) auditdb.AuditRecord {
	return auditdb.AuditRecord{
		At: noon.Add(time.Duration(n) * time.Minute), ActorKind: "person", Actor: "anna", Address: "10.0.0.1", Act: "plugin.approve",
		ObjectKind: "plugin", Object: fmt.Sprintf("acme-%d", n%3), Detail: map[string]string{"n": fmt.Sprint(n)},
	}
}

func TestAuditRecordsFormOneChainOverAllWriters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for n := range 10 {
					if err := s.Audit.AppendAudit(ctx, record(10*w+n), record(10*w+n)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		if n, err := s.Audit.VerifyAudit(ctx); n != 80 || err != nil {
			t.Fatalf("verified %d, %v", n, err)
		}
		found, err := s.Audit.AuditRecords(ctx, auditdb.AuditFilter{Act: "plugin.", Object: "acme-1", Limit: 5, From: noon, To: noon.Add(time.Hour)})
		check(t, err)
		if len(found) != 5 || found[0].Seq < found[4].Seq || found[0].Object != "acme-1" || found[0].Detail["n"] == "" {
			t.Errorf("found %+v", found)
		}
		more, err := s.Audit.AuditRecords(ctx, auditdb.AuditFilter{Act: "plugin.approve", Object: "acme-1", Before: found[4].Seq, Limit: 1})
		check(t, err)
		if len(more) != 1 || more[0].Seq >= found[4].Seq {
			t.Errorf("the next page is %+v", more)
		}

		removed, err := s.Audit.PruneAudit(ctx, noon.Add(31*time.Minute))
		check(t, err)
		if n, err := s.Audit.VerifyAudit(ctx); n != 80-removed || err != nil || removed == 0 {
			t.Errorf("after removing %d the chain has %d, %v", removed, n, err)
		}
		check(t, s.Audit.AppendAudit(ctx, record(99)))
		if n, err := s.Audit.VerifyAudit(ctx); n != 81-removed || err != nil {
			t.Errorf("one more after that: %d, %v", n, err)
		}
	})
}

func TestPackagesAreKeptWholeAndRemovedOnlyWhenUnused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		file := make([]byte, 2_500_000)
		for i := range file {
			file[i] = byte(i * 7)
		}
		p := plugindb.Package{Sum: "aa", Name: "acme", Version: "1.0.0", Manifest: []byte("{}"), Size: int64(len(file)), State: "verified", Signer: "K", StagedAt: cut(noon), StagedBy: "anna"}
		for n, want := range []bool{true, false} {
			if added, err := s.Plugins.AddPackage(ctx, p, file); added != want || err != nil {
				t.Fatalf("time %d: added %t, %v", n, added, err)
			}
		}
		r, err := s.Plugins.PackageFile(ctx, "aa")
		check(t, err)
		if got := readAll(t, r); string(got) != string(file) {
			t.Error("the file came back changed")
		}
		p.State, p.ApprovedBy, p.ApprovedAt = "approved", "boris", cut(noon)
		check(t, s.Plugins.MovePackage(ctx, p, "verified", "staged"))
		wantErr(t, s.Plugins.MovePackage(ctx, p, "verified"), store.ErrStale)
		if got, err := s.Plugins.Package(ctx, "aa"); err != nil || fmt.Sprint(got) != fmt.Sprint(p) {
			t.Errorf("came back as %+v, %v", got, err)
		}
		before, err := s.Plugins.PluginsChanged(ctx)
		check(t, err)
		slot, err := s.Plugins.ChangeSlot(ctx, "acme", func(slot *plugindb.Slot) error {
			slot.Sum, slot.UpdatedAt, slot.UpdatedBy = "aa", noon, "boris"
			return nil
		})
		check(t, err)
		if !slot.Enabled || slot.Pinned {
			t.Errorf("a new slot is %+v", slot)
		}
		if after, err := s.Plugins.PluginsChanged(ctx); after == before || err != nil {
			t.Errorf("the mark stays %q, %v", after, err)
		}
		wantErr(t, s.Plugins.DeletePackage(ctx, "aa"), store.ErrInUse)
		check(t, s.Plugins.DeleteSlot(ctx, "acme"))
		check(t, s.Plugins.DeletePackage(ctx, "aa"))
		_, err = s.Plugins.PackageFile(ctx, "aa")
		wantErr(t, err, store.ErrNotFound)
	})
}

func TestChangesOfOneSlotComeOneAfterAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var changers sync.WaitGroup
		for range 20 {
			changers.Go(func() {
				_, err := s.Plugins.ChangeSlot(t.Context(), "acme", func(slot *plugindb.Slot) error {
					slot.Sum += "x"
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		changers.Wait()
		slots, err := s.Plugins.Slots(t.Context())
		check(t, err)
		if len(slots) != 1 || len(slots[0].Sum) != 20 {
			t.Errorf("slots %+v", slots)
		}
	})
}

func TestAKeyIsTrustedUntilItIsRevoked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		k := plugindb.PluginKey{ID: "0A", Title: "Acme", Public: "RW", TrustedAt: cut(noon)}
		check(t, s.Plugins.TrustKey(t.Context(), k))
		k.RevokedAt = cut(noon).Add(time.Hour)
		check(t, s.Plugins.TrustKey(t.Context(), k))
		keys, err := s.Plugins.PluginKeys(t.Context())
		check(t, err)
		if len(keys) != 1 || keys[0] != k {
			t.Errorf("keys %+v", keys)
		}
	})
}

func readAll(t *testing.T, r io.Reader) []byte {
	t.Helper()
	data, err := io.ReadAll(r)
	check(t, err)
	return data
}
