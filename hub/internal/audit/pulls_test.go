package audit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func open(t *testing.T, st *store.Store, dir string) *audit.Pulls {
	t.Helper()
	p, err := audit.OpenPulls(st, dir, hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pulls(t *testing.T, st *store.Store) []auditdb.AuditRecord {
	t.Helper()
	records, err := st.Audit.AuditRecords(t.Context(), auditdb.AuditFilter{Act: audit.ActPull})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func TestPullsBecomeRecordsAndSurviveACrash(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		dir := filepath.Join(t.TempDir(), "pulls")
		p := open(t, st, dir)
		now := time.Now()
		for range 3 {
			p.Note(audit.Pull{KeyID: "k1", Connection: "sales", Address: "10.0.0.1"}, now)
		}
		p.Note(audit.Pull{KeyID: "k2", Connection: "sales", Address: "10.0.0.1"}, now)
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := pulls(t, st); len(got) != 2 || got[0].Detail["pulls"]+got[1].Detail["pulls"] != "13" && got[0].Detail["pulls"]+got[1].Detail["pulls"] != "31" {
			t.Fatalf("recorded %+v", got)
		}
		p.Note(audit.Pull{KeyID: "k1", Connection: "shop", Address: "10.0.0.1"}, now)
		// The hub dies here: nothing is closed or flushed. A line was cut off.
		f, err := os.OpenFile(filepath.Join(dir, "pulls.open"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("k1\tsh"); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		again := open(t, st, dir)
		if err := again.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := pulls(t, st)
		if len(got) != 3 || got[0].Object != "shop" || got[0].Detail["pulls"] != "1" {
			t.Fatalf("after the crash: %+v", got)
		}
		// It dies between the record and the removal of the file.
		left := filepath.Join(dir, "pulls-"+got[0].Detail["batch"])
		if err := os.WriteFile(left, []byte("k1\tshop\t10.0.0.1\t1700000000000\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := again.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := pulls(t, st); len(got) != 3 {
			t.Errorf("a batch was recorded twice: %+v", got)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || !strings.HasSuffix(entries[0].Name(), ".open") {
			t.Errorf("left on disk: %v, %v", entries, err)
		}
		if _, err := st.Audit.VerifyAudit(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
