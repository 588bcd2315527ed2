package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// What is written with the context of a transaction is committed or rolled back as one,
// and nobody is notified of what was rolled back.
func TestWhatIsWrittenInATransactionIsKeptOrLostAsOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.Now()
		svc := addService(t, s, "shop")
		c := connection.New(now, store.NewID(), "sales", "Sales", svc.ID, renewing).
			Granted(now, now, tokens("a1", "r1"), provider.Account{}, nil)
		check(t, s.Grants.CreateConnection(ctx, c))
		var notified []string
		s.OnChange(func(ids ...string) { notified = append(notified, ids...) })
		was := read(t, s, c.ID)

		refused := errors.New("refused")
		err := s.InTx(ctx, func(ctx context.Context) error {
			check(t, s.Grants.UpdateConnection(ctx, was.Paused(now), was))
			check(t, s.Audit.AppendAudit(ctx, auditdb.AuditRecord{At: now, Act: "connection.pause"}))
			if got := readWith(ctx, t, s, c.ID); got.State != connection.StatePaused {
				t.Errorf("the transaction does not see its own change: %s", got.State)
			}
			wantErr(t, s.InTx(ctx, func(ctx context.Context) error {
				return s.Grants.CreateConnection(ctx, connection.New(now, store.NewID(), "sales", "Again", svc.ID, renewing))
			}), store.ErrNameTaken)
			check(t, s.InTx(ctx, func(ctx context.Context) error { return s.Grants.AddTag(ctx, c.ID, "moscow") }))
			return refused
		})
		wantErr(t, err, refused)
		if got := read(t, s, c.ID); got.State != connection.StateActive || len(notified) > 0 {
			t.Errorf("after the rollback it is %s, notified %v", got.State, notified)
		}
		if records, err := s.Audit.AuditRecords(ctx, auditdb.AuditFilter{}); err != nil || len(records) > 0 {
			t.Errorf("records of what was rolled back: %v %v", records, err)
		}

		dropped := false
		check(t, s.InTx(ctx, func(ctx context.Context) error {
			wantErr(t, s.InTx(ctx, func(ctx context.Context) error {
				s.AfterCommit(ctx, func() { dropped = true })
				return refused
			}), refused)
			return nil
		}))
		if dropped {
			t.Error("what was rolled back behind a savepoint is told after the commit")
		}

		var kept context.Context
		check(t, s.InTx(ctx, func(ctx context.Context) error {
			kept = ctx //nolint:fatcontext // the test is what a context is good for that has outlived its transaction
			check(t, s.Grants.UpdateConnection(ctx, was.Paused(now), was))
			if len(notified) > 0 {
				t.Error("notified before the commit")
			}
			return s.Audit.AppendAudit(ctx, auditdb.AuditRecord{At: now, Act: "connection.pause", Outcome: "done"})
		}))
		if got := readWith(kept, t, s, c.ID); got.State != connection.StatePaused || len(notified) != 1 {
			t.Errorf("after the commit it is %s, notified %v", got.State, notified)
		}
		if n, err := s.Audit.VerifyAudit(ctx); n != 1 || err != nil {
			t.Errorf("the chain has %d records: %v", n, err)
		}
	})
}

func readWith(ctx context.Context, t *testing.T, s *store.Store, id string) connection.Connection {
	t.Helper()
	c, err := s.Grants.Connection(ctx, id)
	check(t, err)
	return c
}
