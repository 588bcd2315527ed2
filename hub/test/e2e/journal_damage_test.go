package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// damagedJournal leaves a journal in which the first of two replies is damaged.
func damagedJournal(t *testing.T, data string) {
	t.Helper()
	box, err := seal.Create(filepath.Join(data, "evergrant.key"))
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(data, "journal"), box, hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"damaged", "whole"} {
		if err := j.Append(op, 0, []byte("reply")); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(data, "journal", "replies-*.journal"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	content[80] ^= 1
	if err := os.WriteFile(paths[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A flipped bit in the journal is seen wherever somebody looks, until the file that was
// kept aside is removed.
func TestDamageToTheJournalIsToldEverywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	damagedJournal(t, dir)
	flags := map[string]any{"data_dir": dir, "key.file": filepath.Join(dir, "evergrant.key")}
	hubtest.Expect(t, hubtest.Findings(t, "", flags), "journal", "fail", "cannot be read")

	r := hubtest.StartHubIn(t, dir, map[string]any{"key.file": filepath.Join(dir, "evergrant.key")})
	if !hubtest.Contains(r.Log, "journal segment damaged") {
		t.Error("the log does not say so")
	}
	flags["public_url"] = r.Hub.URL()
	found := hubtest.Findings(t, "", flags)
	hubtest.Expect(t, found, "journal", "fail", "kept as "+filepath.Join(dir, "journal", "damaged"))
	hubtest.Expect(t, found, "ready", "ok", "it can do its job")
	owner := r.Owner(t)
	const said = "replies-00000001.journal could not be read as a whole"
	if _, page, _ := owner.Ask("GET", "/", nil); !strings.Contains(page, said) || !strings.Contains(page, "is kept as") {
		t.Errorf("the overview does not say so: %s", page)
	}
	if !strings.Contains(r.Scrape(t), "evergrant_journal_damaged_segments 1\n") {
		t.Error("the metrics do not say so")
	}
	if err := os.RemoveAll(filepath.Join(dir, "journal", "damaged")); err != nil {
		t.Fatal(err)
	}
	hubtest.Expect(t, hubtest.Findings(t, "", flags), "journal", "ok", "nothing damaged")
	if _, page, _ := owner.Ask("GET", "/", nil); strings.Contains(page, said) {
		t.Error("the overview still says so")
	}
}

func TestDoctorSeesThatTheJournalIsGone(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	flags := map[string]any{"data_dir": r.Dir, "public_url": r.Hub.URL()}
	hubtest.Expect(t, hubtest.Findings(t, "", flags), "journal", "ok", "nothing damaged")
	folder := filepath.Join(r.Dir, "journal")
	if err := os.Rename(folder, folder+"-away"); err != nil {
		t.Fatal(err)
	}
	hubtest.Expect(t, hubtest.Findings(t, "", map[string]any{"data_dir": r.Dir}), "journal", "fail", "is gone")
	if err := os.WriteFile(folder, nil, 0o600); err != nil { // cannot be made anew
		t.Fatal(err)
	}
	hubtest.Eventually(t, "the doctor hears it from the hub", func() bool {
		for _, f := range hubtest.Findings(t, "", flags) {
			if f.Check == "ready" && f.Level == "fail" && strings.Contains(f.What, "journal") {
				return true
			}
		}
		return false
	})
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	hubtest.Eventually(t, "the hub has made it anew", func() bool {
		status, _ := (&hubtest.Client{Base: r.Hub.URL()}).Do(t, "GET", "/readyz", nil)
		_, err := os.Stat(filepath.Join(folder, "replica"))
		return status == 200 && err == nil
	})
}
