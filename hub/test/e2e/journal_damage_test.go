package hub_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
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
	expect(t, findings(t, "", flags), "journal", "fail", "cannot be read")

	r := startHubIn(t, dir, map[string]any{"key.file": filepath.Join(dir, "evergrant.key")})
	if !contains(r.log, "journal segment damaged") {
		t.Error("the log does not say so")
	}
	flags["public_url"] = r.hub.URL()
	found := findings(t, "", flags)
	expect(t, found, "journal", "fail", "kept as "+filepath.Join(dir, "journal", "damaged"))
	expect(t, found, "ready", "ok", "it can do its job")
	owner := r.owner(t)
	const said = "replies-00000001.journal could not be read as a whole"
	if _, page, _ := owner.ask("GET", "/", nil); !strings.Contains(page, said) || !strings.Contains(page, "is kept as") {
		t.Errorf("the overview does not say so: %s", page)
	}
	if !strings.Contains(r.scrape(t), "evergrant_journal_damaged_segments 1\n") {
		t.Error("the metrics do not say so")
	}
	if err := os.RemoveAll(filepath.Join(dir, "journal", "damaged")); err != nil {
		t.Fatal(err)
	}
	expect(t, findings(t, "", flags), "journal", "ok", "nothing damaged")
	if _, page, _ := owner.ask("GET", "/", nil); strings.Contains(page, said) {
		t.Error("the overview still says so")
	}
}

func TestDoctorSeesThatTheJournalIsGone(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	flags := map[string]any{"data_dir": r.dir, "public_url": r.hub.URL()}
	expect(t, findings(t, "", flags), "journal", "ok", "nothing damaged")
	folder := filepath.Join(r.dir, "journal")
	if err := os.Rename(folder, folder+"-away"); err != nil {
		t.Fatal(err)
	}
	expect(t, findings(t, "", map[string]any{"data_dir": r.dir}), "journal", "fail", "is gone")
	if err := os.WriteFile(folder, nil, 0o600); err != nil { // cannot be made anew
		t.Fatal(err)
	}
	eventually(t, "the doctor hears it from the hub", func() bool {
		for _, f := range findings(t, "", flags) {
			if f.Check == "ready" && f.Level == "fail" && strings.Contains(f.What, "journal") {
				return true
			}
		}
		return false
	})
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hub has made it anew", func() bool {
		status, _ := (&client{base: r.hub.URL()}).do(t, "GET", "/readyz", nil)
		_, err := os.Stat(filepath.Join(folder, "replica"))
		return status == 200 && err == nil
	})
}
