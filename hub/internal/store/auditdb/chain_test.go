package auditdb_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// A chain of before its ends had MACs gets them once, as it is found; taking them away
// later does not make a hub do it again.
func TestAChainOfBeforeIsAuthenticatedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		at := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
		must(s.Audit.AppendAudit(ctx, auditdb.AuditRecord{At: at, Act: "key.add"}, auditdb.AuditRecord{At: at, Act: "key.revoke"}))
		auditdb.ForgetEnds(t, s.Audit)
		must(s.Audit.AuthenticateChain(ctx))
		if n, err := s.Audit.VerifyAudit(ctx); n != 2 || err != nil {
			t.Fatalf("%d %v", n, err)
		}
		auditdb.Exec(t, s.Audit, "UPDATE audit_chain SET end_mac = base_hash, base_mac = base_hash, seq = 1, hash = (SELECT hash FROM audit_records WHERE seq = 1)")
		auditdb.Exec(t, s.Audit, "DELETE FROM audit_records WHERE seq = 2")
		must(s.Audit.AuthenticateChain(ctx))
		_, err := s.Audit.VerifyAudit(ctx)
		if _, broken := errors.AsType[*auditdb.BrokenChainError](err); !broken {
			t.Errorf("MACs that were taken away: %v", err)
		}
	})
}
