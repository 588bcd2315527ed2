package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
)

func box(t *testing.T) *seal.Box {
	t.Helper()
	b, err := seal.Create(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t *testing.T, dir string, b *seal.Box) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The largest body that a configuration can grant is 8 MiB, in base64 and with headers.
func TestTheLargestReplyIsThereAfterARestart(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	reply := bytes.Repeat([]byte("x"), 8<<20*4/3+64<<10)
	j := open(t, dir, b)
	must(t, j.Begin("op-1", nil))
	must(t, j.Append("op-1", 0, reply))
	must(t, j.Append("op-1", 1, []byte("after it")))
	must(t, j.Close())
	j = open(t, dir, b)
	if op, ok := j.Operation("op-1"); !ok || !bytes.Equal(op.Replies[0], reply) || string(op.Replies[1]) != "after it" {
		t.Errorf("there are %d replies after a restart", len(op.Replies))
	}
}

func TestAReplyIsThereAfterARestart(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j := open(t, dir, b)
	must(t, j.Begin("op-1", []byte("meta")))
	must(t, j.Append("op-1", 0, []byte("the only live refresh token")))
	must(t, j.Begin("op-2", nil))
	must(t, j.Append("op-2", 0, []byte("saved")))
	j.Done("op-2")
	name := j.Replica()
	must(t, j.Close())

	j = open(t, dir, b)
	pending := j.Pending()
	if len(pending) != 1 || pending[0].ID != "op-1" || string(pending[0].Meta) != "meta" || string(pending[0].Replies[0]) != "the only live refresh token" {
		t.Fatalf("pending after a restart: %d operations", len(pending))
	}
	if j.Replica() != name {
		t.Error("the replica's name changed over a restart")
	}
}

func TestBeginningAgainKeepsTheReplies(t *testing.T) {
	j := open(t, t.TempDir(), box(t))
	must(t, j.Begin("op", []byte("m")))
	must(t, j.Append("op", 0, []byte("reply")))
	must(t, j.Begin("op", []byte("m")))
	if op, ok := j.Operation("op"); !ok || string(op.Replies[0]) != "reply" {
		t.Fatal("a second Begin dropped the reply")
	}
}

func TestTwoHubsCannotShareAJournal(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	open(t, dir, b)
	if _, err := journal.Open(dir, b, nil); err == nil || !strings.Contains(err.Error(), "in use by another hub") {
		t.Fatalf("the second hub got %v", err)
	}
}

func TestTheFileHoldsNoSecretInClear(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j := open(t, dir, b)
	must(t, j.Begin("op", []byte("meta-secret")))
	must(t, j.Append("op", 0, []byte("reply-secret")))
	_, data := lastSegment(t, dir)
	if bytes.Contains(data, []byte("secret")) {
		t.Fatal("a secret is in the file in clear")
	}
}

func TestAnotherKeyIsSaidSo(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, box(t))
	must(t, j.Begin("op", nil))
	must(t, j.Close())
	path, before := lastSegment(t, dir)
	if _, err := journal.Open(dir, box(t), nil); err == nil || !strings.Contains(err.Error(), "restore the key file") {
		t.Fatalf("opened with another key: %v", err)
	}
	if now, after := lastSegment(t, dir); now != path || !bytes.Equal(before, after) {
		t.Fatal("a wrong key touched the files")
	}
}

func TestManyOperationsAtOnce(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j := open(t, dir, b)
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			id := fmt.Sprintf("op-%02d", n)
			if err := j.Begin(id, nil); err != nil {
				t.Error(err)
			}
			if err := j.Append(id, 0, []byte(id)); err != nil {
				t.Error(err)
			}
			if n%2 == 0 {
				j.Done(id)
			}
		})
	}
	wg.Wait()
	must(t, j.Close())
	j = open(t, dir, b)
	if got := len(j.Pending()); got != 32 {
		t.Fatalf("%d pending operations, want 32", got)
	}
	for _, op := range j.Pending() {
		if string(op.Replies[0]) != op.ID {
			t.Errorf("%s has the reply of %s", op.ID, op.Replies[0])
		}
	}
}

// lastSegment reads the segment that is written to.
func lastSegment(t testing.TB, dir string) (path string, data []byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "replies-*.journal"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no segments: %v", err)
	}
	path = paths[len(paths)-1]
	if data, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return path, data
}

func BenchmarkAppend(b *testing.B) {
	box, err := seal.Create(filepath.Join(b.TempDir(), "key"))
	if err != nil {
		b.Fatal(err)
	}
	j, err := journal.Open(b.TempDir(), box, nil)
	if err != nil {
		b.Fatal(err)
	}
	reply := make([]byte, 1500)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			id := fmt.Sprintf("%p-%d", pb, n)
			if err := j.Append(id, 0, reply); err != nil {
				b.Error(err)
			}
			j.Done(id)
		}
	})
	_, bytes := j.Size()
	b.ReportMetric(float64(bytes), "disk-bytes")
}
