package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func pullRecord(n int) auditdb.AuditRecord {
	r := record(n)
	r.ActorKind, r.Act, r.ObjectKind = "key", "token.pull", "connection"
	return r
}

// Pulls that were summed up leave a chain that is verified as before, whatever lies
// between them, and in which every change still shows.
func TestSummedPullsLeaveTheChainWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for n := range 60 { // pulls with an act of a person between every ten
			if n%10 == 9 {
				check(t, s.Audit.AppendAudit(ctx, record(n)))
			} else {
				check(t, s.Audit.AppendAudit(ctx, pullRecord(n)))
			}
		}
		sum := func(records []auditdb.AuditRecord) ([]auditdb.AuditRecord, error) {
			r := records[0]
			r.Act, r.Detail = "token.pull_sum", map[string]string{"pulls": fmt.Sprint(len(records))}
			return []auditdb.AuditRecord{r}, nil
		}
		for _, until := range []struct{ minute, replaced int }{{5, 5}, {25, 18}, {25, 0}, {60, 31}} {
			n, err := s.Audit.SumPulls(ctx, noon.Add(time.Duration(until.minute)*time.Minute), sum)
			check(t, err)
			if n != until.replaced {
				t.Errorf("until minute %d %d were summed up, want %d", until.minute, n, until.replaced)
			}
			if _, err := s.Audit.VerifyAudit(ctx); err != nil {
				t.Errorf("until minute %d: %v", until.minute, err)
			}
		}
		if n, err := s.Audit.VerifyAudit(ctx); n != 6+3 || err != nil {
			t.Fatalf("the chain has %d records, %v; want 6 acts and 3 sums", n, err)
		}
		for name, statement := range map[string]string{
			"a link that leads elsewhere": "UPDATE audit_links SET to_seq = to_seq + 1 WHERE from_seq = 11",
			"a link of somebody else's":   "UPDATE audit_links SET hash_after = hash_before WHERE from_seq = 11",
			"a removed link":              "DELETE FROM audit_links WHERE from_seq = 1",
			"a removed sum":               "DELETE FROM audit_records WHERE seq = 61",
			"a removed act in between":    "DELETE FROM audit_records WHERE seq = 20",
		} {
			store.Exec(t, s, "CREATE TEMPORARY TABLE kept_links AS SELECT * FROM audit_links")
			store.Exec(t, s, "CREATE TEMPORARY TABLE kept_records AS SELECT * FROM audit_records")
			store.Exec(t, s, statement)
			_, err := s.Audit.VerifyAudit(ctx)
			if _, broken := errors.AsType[*auditdb.BrokenChainError](err); !broken {
				t.Errorf("%s: the chain verifies, %v", name, err)
			}
			for _, table := range []string{"links", "records"} {
				store.Exec(t, s, "DELETE FROM audit_"+table)
				store.Exec(t, s, "INSERT INTO audit_"+table+" SELECT * FROM kept_"+table)
				store.Exec(t, s, "DROP TABLE kept_"+table)
			}
		}
		removed, err := s.Audit.PruneAudit(ctx, noon.Add(30*time.Minute))
		check(t, err)
		if n, err := s.Audit.VerifyAudit(ctx); err != nil || removed == 0 || n != 9-removed {
			t.Errorf("after removing %d the chain has %d, %v", removed, n, err)
		}
		check(t, s.Audit.AppendAudit(ctx, pullRecord(99)))
		if _, err := s.Audit.VerifyAudit(ctx); err != nil {
			t.Error(err)
		}
	})
}

// A record of a pull that was changed is not summed up: that would put the hub's own
// word in its place, and the chain would verify again.
func TestPullsThatWereChangedAreNotSummedUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, statement := range map[string]string{
			"another actor":    "UPDATE audit_records SET actor = 'somebody else' WHERE seq = 3",
			"a removed record": "DELETE FROM audit_records WHERE seq = 3",
			"another hash":     "UPDATE audit_records SET hash = (SELECT hash FROM audit_records WHERE seq = 1) WHERE seq = 3",
		} {
			store.Exec(t, s, "DELETE FROM audit_records")
			store.Exec(t, s, "DELETE FROM audit_chain")
			for n := range 6 {
				check(t, s.Audit.AppendAudit(t.Context(), pullRecord(n)))
			}
			store.Exec(t, s, statement)
			n, err := s.Audit.SumPulls(t.Context(), noon.Add(time.Hour), func(records []auditdb.AuditRecord) ([]auditdb.AuditRecord, error) {
				return records[:1], nil
			})
			if broken, ok := errors.AsType[*auditdb.BrokenChainError](err); !ok || broken.Seq < 2 || broken.Seq > 4 || n != 0 {
				t.Errorf("%s: %d were summed up, %v; want the broken chain", name, n, err)
			}
			if _, err := s.Audit.VerifyAudit(t.Context()); err == nil {
				t.Errorf("%s: the chain verifies afterwards", name)
			}
		}
	})
}

// A long history of pulls goes in parts, so that nobody who acts waits long.
func TestManyPullsAreSummedUpInParts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		many := make([]auditdb.AuditRecord, 12_000)
		for n := range many {
			many[n] = pullRecord(0)
		}
		check(t, s.Audit.AppendAudit(t.Context(), many...))
		parts := 0
		n, err := s.Audit.SumPulls(t.Context(), noon.Add(time.Hour), func(records []auditdb.AuditRecord) ([]auditdb.AuditRecord, error) {
			parts++
			r := records[0]
			r.Act = "token.pull_sum"
			return []auditdb.AuditRecord{r}, nil
		})
		check(t, err)
		if n != len(many) || parts != 3 {
			t.Errorf("%d were summed up in %d parts", n, parts)
		}
		if left, err := s.Audit.VerifyAudit(t.Context()); left != 3 || err != nil {
			t.Errorf("the chain has %d records, %v", left, err)
		}
	})
}
