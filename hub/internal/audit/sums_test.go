package audit_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// Pulls of more than a day ago are summed up by the hour; who pulled what, how often,
// and the first and the last time are still known.
func TestPullsAreSummedUpByTheHourAfterADay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		hour := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
		pull := func(at time.Time, key, connection, address, pulls, since string) auditdb.AuditRecord {
			return auditdb.AuditRecord{
				At: at, ActorKind: audit.KindKey, Actor: key, Address: address, Act: audit.ActPull, ObjectKind: "connection", Object: connection,
				Detail: map[string]string{"pulls": pulls, "since": since, "batch": "b"},
			}
		}
		records := []auditdb.AuditRecord{
			pull(hour.Add(10*time.Second), "Bpium", "sales", "10.0.0.1", "3", "2026-03-01T10:00:02Z"),
			pull(hour.Add(40*time.Second), "Bpium", "sales", "10.0.0.1", "4", "2026-03-01T10:00:31Z"),
			pull(hour.Add(50*time.Minute), "Bpium", "stock", "10.0.0.1", "1", "2026-03-01T10:50:00Z"),
			pull(hour.Add(51*time.Minute), "Desk", "sales", "10.0.0.2", "1", "2026-03-01T10:51:00Z"),
			pull(hour.Add(61*time.Minute), "Bpium", "sales", "10.0.0.1", "9", "2026-03-01T11:01:00Z"),
			pull(hour.Add(25*time.Hour), "Bpium", "sales", "10.0.0.1", "2", "2026-03-02T11:00:00Z"),
		}
		if err := s.Audit.AppendAudit(t.Context(), records...); err != nil {
			t.Fatal(err)
		}
		now := hour.Add(26 * time.Hour)
		if n, err := audit.SumPulls(t.Context(), s, now); n != 5 || err != nil {
			t.Fatalf("%d were summed up, %v", n, err)
		}
		if n, err := audit.SumPulls(t.Context(), s, now); n != 0 || err != nil {
			t.Errorf("a second time %d were summed up, %v", n, err)
		}
		sums, err := s.Audit.AuditRecords(t.Context(), auditdb.AuditFilter{Act: audit.ActPullSum})
		if err != nil || len(sums) != 4 {
			t.Fatalf("the sums are %+v, %v", sums, err)
		}
		first := sums[3]
		if first.Actor != "Bpium" || first.Object != "sales" || first.Address != "10.0.0.1" || !first.At.Equal(hour.Add(40*time.Second)) ||
			first.Detail["pulls"] != "7" || first.Detail["records"] != "2" || first.Detail["since"] != "2026-03-01T10:00:02Z" || first.Detail["until"] != "2026-03-01T10:00:40Z" {
			t.Errorf("the first sum is %+v", first)
		}
		if left, err := s.Audit.AuditRecords(t.Context(), auditdb.AuditFilter{Act: audit.ActPull}); err != nil || len(left) != 1 || left[0].Detail["pulls"] != "2" {
			t.Errorf("the single records are %+v, %v", left, err)
		}
		if n, err := s.Audit.VerifyAudit(t.Context()); n != 5 || err != nil {
			t.Errorf("the chain has %d records, %v", n, err)
		}
	})
}
