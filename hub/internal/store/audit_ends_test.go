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

// keepAudit copies the audit tables, so that a test can put them back.
func keepAudit(t *testing.T, s *store.Store) (putBack func()) {
	t.Helper()
	tables := []string{"records", "links", "chain"}
	for _, table := range tables {
		store.Exec(t, s, "CREATE TABLE kept_"+table+" AS SELECT * FROM audit_"+table)
	}
	return func() {
		for _, table := range tables {
			store.Exec(t, s, "DELETE FROM audit_"+table)
			store.Exec(t, s, "INSERT INTO audit_"+table+" SELECT * FROM kept_"+table)
		}
	}
}

// dropKept removes the copies, so that later ones can be made.
func dropKept(t *testing.T, s *store.Store) {
	t.Helper()
	for _, table := range []string{"records", "links", "chain"} {
		store.Exec(t, s, "DROP TABLE kept_"+table)
	}
}

func wants(t *testing.T, name string, err error, part auditdb.ChainPart) {
	t.Helper()
	broken, ok := errors.AsType[*auditdb.BrokenChainError](err)
	if !ok || part != "" && broken.Part != part {
		t.Errorf("%s: %v", name, err)
	}
}

// Whoever can write to the database cannot cut the chain at either end, nor have the hub
// hide the cut by going on.
func TestACutAtEitherEndShows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for n := range 20 {
			check(t, s.Audit.AppendAudit(ctx, record(n)))
		}
		removed, err := s.Audit.PruneAudit(ctx, noon.Add(5*time.Minute))
		check(t, err)
		if n, err := s.Audit.VerifyAudit(ctx); err != nil || n != 20-removed || removed == 0 {
			t.Fatalf("%d of 20 are left after removing %d: %v", n, removed, err)
		}
		putBack := keepAudit(t, s)
		cutEnd := "UPDATE audit_chain SET seq = 15, hash = (SELECT hash FROM audit_records WHERE seq = 15)"
		for name, try := range map[string]struct {
			part       auditdb.ChainPart
			statements []string
		}{
			"the newest records":                        {auditdb.ChainEnd, []string{cutEnd, "DELETE FROM audit_records WHERE seq > 15"}},
			"the newest records, and the MAC":           {auditdb.ChainEnd, []string{cutEnd, "UPDATE audit_chain SET end_mac = base_mac", "DELETE FROM audit_records WHERE seq > 15"}},
			"the oldest records":                        {auditdb.ChainBase, []string{"UPDATE audit_chain SET base_seq = 9, base_hash = (SELECT hash FROM audit_records WHERE seq = 9)", "DELETE FROM audit_records WHERE seq <= 9"}},
			"what stands for the records removed":       {auditdb.ChainBase, []string{"UPDATE audit_chain SET base_hash = hash"}},
			"all of it":                                 {auditdb.ChainEnd, []string{"UPDATE audit_chain SET seq = base_seq, hash = base_hash", "DELETE FROM audit_records"}},
			"records, but not the chain's end":          {"", []string{"DELETE FROM audit_records WHERE seq > 15"}},
			"the chain's row":                           {auditdb.ChainEnd, []string{"DELETE FROM audit_chain"}},
			"the end alone, records are left behind it": {auditdb.ChainEnd, []string{cutEnd}},
		} {
			for _, statement := range try.statements {
				store.Exec(t, s, statement)
			}
			_, err := s.Audit.VerifyAudit(ctx)
			wants(t, name, err, try.part)
			putBack()
		}
		// The hub goes on behind a cut, and it still shows.
		store.Exec(t, s, cutEnd)
		store.Exec(t, s, "DELETE FROM audit_records WHERE seq > 15")
		check(t, s.Audit.AppendAudit(ctx, record(30), record(31)))
		_, err = s.Audit.VerifyAudit(ctx)
		wants(t, "a cut end with records behind it", err, auditdb.ChainEnd)
		putBack()
		store.Exec(t, s, "UPDATE audit_chain SET base_seq = 9, base_hash = (SELECT hash FROM audit_records WHERE seq = 9)")
		store.Exec(t, s, "DELETE FROM audit_records WHERE seq <= 9")
		_, err = s.Audit.PruneAudit(ctx, noon.Add(12*time.Minute))
		check(t, err)
		_, err = s.Audit.VerifyAudit(ctx)
		wants(t, "a cut base, and older records removed since", err, auditdb.ChainBase)
		putBack()
		check(t, s.Audit.AppendAudit(ctx, record(30)))
		if _, err := s.Audit.VerifyAudit(ctx); err != nil {
			t.Errorf("everything as it was: %v", err)
		}
	})
}

// Whoever can write to the database cannot change a record in the middle of the chain, take
// one out, or put one into its place that the hub has written itself, in a history that was
// set back since.
func TestARecordIsBoundToItsPlaceInTheChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for n := range 10 {
			check(t, s.Audit.AppendAudit(ctx, record(n)))
		}
		setBack := keepAudit(t, s)
		check(t, s.Audit.AppendAudit(ctx, record(20), record(21)))
		store.Exec(t, s, "CREATE TABLE other_history AS SELECT * FROM audit_records WHERE seq > 10")
		setBack()
		check(t, s.Audit.AppendAudit(ctx, record(30), record(31), record(32)))
		dropKept(t, s)
		putBack := keepAudit(t, s)
		for name, statements := range map[string][]string{
			"a changed word":           {"UPDATE audit_records SET actor = 'boris' WHERE seq = 6"},
			"a changed outcome":        {"UPDATE audit_records SET outcome = 'refused' WHERE seq = 6"},
			"a removed record":         {"DELETE FROM audit_records WHERE seq = 7"},
			"two that changed places":  {"UPDATE audit_records SET seq = 99 WHERE seq = 6", "UPDATE audit_records SET seq = 6 WHERE seq = 7", "UPDATE audit_records SET seq = 7 WHERE seq = 99"},
			"one of another history":   {"DELETE FROM audit_records WHERE seq = 11", "INSERT INTO audit_records SELECT * FROM other_history WHERE seq = 11"},
			"some of another history":  {"DELETE FROM audit_records WHERE seq IN (11, 12)", "INSERT INTO audit_records SELECT * FROM other_history"},
			"a later one of another":   {"DELETE FROM audit_records WHERE seq = 12", "INSERT INTO audit_records SELECT * FROM other_history WHERE seq = 12"},
			"a hash of another record": {"UPDATE audit_records SET hash = (SELECT hash FROM other_history WHERE seq = 12) WHERE seq = 12"},
		} {
			for _, statement := range statements {
				store.Exec(t, s, statement)
			}
			_, err := s.Audit.VerifyAudit(ctx)
			wants(t, name, err, "")
			putBack()
			if n, err := s.Audit.VerifyAudit(ctx); err != nil || n != 13 {
				t.Fatalf("after %s was put back: %d records, %v", name, n, err)
			}
		}
	})
}

// An anchor that is kept elsewhere shows what the database cannot: that all of it was put
// back to an earlier state. Records of pulls may be summed up meanwhile.
func TestAnAnchorShowsThatTheDatabaseWasPutBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if _, err := s.Audit.AnchorAudit(ctx, noon); !errors.Is(err, auditdb.ErrNoAudit) {
			t.Errorf("an empty chain: %v", err)
		}
		for n := range 10 {
			check(t, s.Audit.AppendAudit(ctx, record(n)))
		}
		putBack := keepAudit(t, s)
		old, err := s.Audit.AnchorAudit(ctx, noon)
		check(t, err)
		check(t, s.Audit.AppendAudit(ctx, pullRecord(10), record(11), pullRecord(12), pullRecord(13)))
		newer, err := s.Audit.AnchorAudit(ctx, noon)
		check(t, err)
		if newer.Seq != 12 || newer.PublicKey != old.PublicKey || !newer.Verify(old.PublicKey) {
			t.Errorf("%+v", newer)
		}
		_, err = s.Audit.SumPulls(ctx, noon.Add(time.Hour), func(r []auditdb.AuditRecord) ([]auditdb.AuditRecord, error) {
			r[0].Act, r[0].Detail = "token.pull_sum", map[string]string{"pulls": fmt.Sprint(len(r))}
			return r[:1], nil
		})
		check(t, err)
		for name, a := range map[string]auditdb.AuditAnchor{"old": old, "newer": newer} {
			if _, err := s.Audit.VerifyAnchor(ctx, a); err != nil {
				t.Errorf("the %s anchor: %v", name, err)
			}
		}
		forged := newer
		forged.Seq = 1
		if _, err := s.Audit.VerifyAnchor(ctx, forged); !errors.Is(err, auditdb.ErrAnchorForged) {
			t.Errorf("a forged anchor: %v", err)
		}
		if _, err := s.Audit.PruneAudit(ctx, noon.Add(11*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Audit.VerifyAnchor(ctx, old); !errors.Is(err, auditdb.ErrAnchorTooOld) && err != nil {
			t.Errorf("an anchor of records that are gone: %v", err)
		}
		putBack() // all of it, as it once was: the chain is whole, and yet records are missing
		if _, err := s.Audit.VerifyAudit(ctx); err != nil {
			t.Errorf("the chain alone: %v", err)
		}
		_, err = s.Audit.VerifyAnchor(ctx, newer)
		if missing, ok := errors.AsType[*auditdb.MissingAnchorError](err); !ok || missing.Seq != 12 {
			t.Errorf("the anchor that is not there any more: %v", err)
		}
		check(t, s.Audit.AppendAudit(ctx, record(20), record(21), record(22)))
		if _, err = s.Audit.VerifyAnchor(ctx, newer); err == nil {
			t.Error("other records in the place of those that are missing")
		}
		if _, err := s.Audit.VerifyAnchor(ctx, old); err != nil {
			t.Errorf("the old anchor: %v", err)
		}
	})
}
