package journal_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What was not marked was not sent: a hub that was killed between deciding and writing
// may try again at once.
func TestAnOperationWithoutAMarkWasNeverSent(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j := open(t, dir, b)
	begun := time.Now()
	must(t, j.Begin("decided", nil))
	must(t, j.Begin("written", nil))
	must(t, j.Sending("written"))
	must(t, j.Sending("written"))
	must(t, j.Begin("answered", nil))
	must(t, j.Append("answered", 0, []byte("reply")))
	must(t, j.Close())

	j = open(t, dir, b)
	for op, want := range map[string]bool{"decided": true, "never heard of": true, "written": false, "answered": false} {
		if got := j.NeverSent(op, begun); got != want {
			t.Errorf("%s: never sent is %t, want %t", op, got, want)
		}
	}
	if j.NeverSent("decided", begun.Add(-time.Hour)) {
		t.Error("a mark from before the folder was in use is missed, and taken for not made")
	}
	must(t, j.Close())

	// After a start of the machine nobody knows: marks are not synced.
	must(t, os.WriteFile(filepath.Join(dir, "boot"), []byte(`{"id":"another start","since":"2020-01-01T00:00:00Z"}`), 0o600))
	if j = open(t, dir, b); j.NeverSent("decided", begun) {
		t.Error("a mark that the machine may have lost is taken for not made")
	}
}

func TestAMarkIsCopiedWithItsOperation(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j := open(t, dir, b)
	begun := time.Now()
	must(t, j.Begin("op", nil))
	must(t, j.Sending("op"))
	must(t, os.RemoveAll(dir)) // the next write begins a segment with all that is pending
	must(t, j.Begin("other", nil))
	must(t, j.Close())
	if j = open(t, dir, b); j.NeverSent("op", begun) {
		t.Error("the mark was lost with its segment")
	}
}

// Marks that were written after a folder was copied are not in the copy.
func TestACopiedFolderKnowsOfNoRequestThatItWasNotSent(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j := open(t, dir, b)
	begun := time.Now()
	must(t, j.Begin("op", nil))
	at := filepath.Join(t.TempDir(), "copy")
	must(t, os.CopyFS(at, os.DirFS(dir)))
	if copied := open(t, at, b); copied.NeverSent("op", begun) {
		t.Error("a copy says that a request was not sent which the original may have sent since")
	}
	must(t, j.Close())
	if again := open(t, dir, b); !again.NeverSent("op", begun) {
		t.Error("the folder itself does not know any more that it was not sent")
	}
}
