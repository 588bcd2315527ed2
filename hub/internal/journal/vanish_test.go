package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
)

// survives opens a journal again and looks for a reply of each operation.
func survives(t *testing.T, dir string, b *seal.Box, ops ...string) {
	t.Helper()
	j := open(t, dir, b)
	for _, id := range ops {
		if op, ok := j.Operation(id); !ok || string(op.Replies[0]) != id {
			t.Errorf("the reply of %s is lost", id)
		}
	}
	if len(j.Damages()) != 0 {
		t.Errorf("damages %v", j.Damages())
	}
	must(t, j.Close())
}

func TestAFolderThatIsGoneIsMadeAnewWithAllThatIsPending(t *testing.T) {
	for what, takeAway := range map[string]func(t *testing.T, dir string){
		"the folder":      func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) },
		"moved away":      func(t *testing.T, dir string) { must(t, os.Rename(dir, dir+".away")) },
		"the data folder": func(t *testing.T, dir string) { must(t, os.RemoveAll(filepath.Dir(dir))) },
		"the lock":        func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "lock"))) },
		"the segment": func(t *testing.T, dir string) {
			path, _ := lastSegment(t, dir)
			must(t, os.Remove(path))
		},
		"the segment, replaced": func(t *testing.T, dir string) {
			path, data := lastSegment(t, dir)
			must(t, os.WriteFile(path+"x", data, 0o600))
			must(t, os.Rename(path+"x", path))
		},
	} {
		for _, by := range []string{"Begin", "Append", "Check", "Close"} {
			t.Run(what+" "+by, func(t *testing.T) {
				dir, b := filepath.Join(t.TempDir(), "data", "journal"), box(t)
				j := open(t, dir, b)
				name := j.Replica()
				must(t, j.Append("before", 0, []byte("before")))
				takeAway(t, dir)
				ops := []string{"before"}
				switch by {
				case "Begin":
					must(t, j.Begin("later", nil))
					if _, err := journal.Open(dir, b, nil); err == nil || !strings.Contains(err.Error(), "in use by another hub") {
						t.Fatalf("a second hub got %v", err)
					}
				case "Append":
					must(t, j.Append("later", 0, []byte("later")))
					ops = append(ops, "later")
				case "Check":
					must(t, j.Check())
				}
				if by != "Close" {
					path, _ := lastSegment(t, dir)
					copied, err := os.ReadFile(path) // what a kill would leave
					must(t, err)
					crashed := t.TempDir()
					must(t, os.WriteFile(filepath.Join(crashed, filepath.Base(path)), copied, 0o600))
					survives(t, crashed, b, ops...)
				}
				must(t, j.Close())
				survives(t, dir, b, ops...)
				if again := open(t, dir, b); again.Replica() != name {
					t.Errorf("the replica is %s, was %s", again.Replica(), name)
				}
				if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
					t.Errorf("the folder has mode %v", info.Mode())
				}
			})
		}
	}
}

func TestAFolderOfAnotherHubIsNeverShared(t *testing.T) {
	for what, running := range map[string]bool{"that runs": true, "that is stopped": false} {
		t.Run(what, func(t *testing.T) {
			dir, b := filepath.Join(t.TempDir(), "journal"), box(t)
			other := filepath.Join(t.TempDir(), "journal")
			theirs := open(t, other, b)
			must(t, theirs.Append("theirs", 0, []byte("theirs")))
			if !running {
				must(t, theirs.Close())
			}
			j := open(t, dir, b)
			must(t, j.Append("mine", 0, []byte("mine")))
			must(t, os.Rename(dir, dir+".away"))
			must(t, os.Rename(other, dir))
			before, err := os.ReadDir(dir)
			must(t, err)
			for _, err := range []error{j.Begin("later", nil), j.Check(), j.Append("mine", 1, nil)} {
				if err == nil || !strings.Contains(err.Error(), "another hub") || !strings.Contains(err.Error(), "put the hub's own folder back") {
					t.Fatalf("got %v", err)
				}
			}
			if after, err := os.ReadDir(dir); err != nil || len(after) != len(before) {
				t.Fatal("something was written into another hub's folder")
			}
			must(t, os.Rename(dir, other))
			must(t, os.Rename(dir+".away", dir))
			must(t, j.Begin("later", nil))
			must(t, j.Close())
			survives(t, dir, b, "mine")
		})
	}
}

func TestWhereTheFolderCannotBeMadeNothingBegins(t *testing.T) {
	above := filepath.Join(t.TempDir(), "data")
	dir, b := filepath.Join(above, "journal"), box(t)
	j := open(t, dir, b)
	must(t, j.Append("op", 0, []byte("op")))
	must(t, os.RemoveAll(above))
	must(t, os.WriteFile(above, nil, 0o600)) // nothing can be made below a file
	if err := j.Begin("later", nil); err == nil || !strings.Contains(err.Error(), "replies cannot be made durable") {
		t.Fatalf("got %v", err)
	}
	if _, ok := j.Operation("later"); ok {
		t.Error("an operation that did not begin is pending")
	}
	if j.Check() == nil {
		t.Error("the journal says that it is ready")
	}
	must(t, os.Remove(above))
	must(t, j.Begin("later", nil))
	must(t, j.Close())
	survives(t, dir, b, "op")
}

func TestASegmentRemovedSinceItWasListedIsNobodys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "replies-00000002.journal")
	if journal.IsOthers(path) {
		t.Error("a file that is gone was taken for another hub's")
	}
	must(t, os.WriteFile(path, nil, 0o600))
	if !journal.IsOthers(path) {
		t.Error("a file that nobody knows was taken for the journal's own")
	}
}

func TestTheFolderIsTakenAwayUnderLoad(t *testing.T) {
	dir, b := filepath.Join(t.TempDir(), "journal"), box(t)
	j := open(t, dir, b)
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			for k := range 40 {
				id := fmt.Sprintf("op-%d-%d", n, k)
				if err := errors.Join(j.Begin(id, nil), j.Append(id, 0, []byte(id))); err != nil {
					t.Error(err)
				}
				if k == 20 && n%4 == 0 {
					_ = os.RemoveAll(dir)
				}
			}
		})
	}
	wg.Wait()
	must(t, j.Check())
	var ops []string
	for _, op := range j.Pending() {
		ops = append(ops, op.ID)
	}
	must(t, j.Close())
	if len(ops) != 16*40 {
		t.Fatalf("%d operations are pending", len(ops))
	}
	survives(t, dir, b, ops...)
}

func TestAfterAFailedWriteOrSyncNothingIsPromisedUntilAllIsWrittenAnew(t *testing.T) {
	for _, op := range []string{"write", "sync"} {
		t.Run(op, func(t *testing.T) {
			dir, b := t.TempDir(), box(t)
			var broken atomic.Bool
			j, err := journal.OpenFaulty(dir, b, func(o string) error {
				if o == op && broken.Load() {
					return syscall.ENOSPC
				}
				return nil
			})
			must(t, err)
			must(t, j.Append("before", 0, []byte("before")))
			first, _ := lastSegment(t, dir)
			broken.Store(true)
			if err := j.Append("during", 0, []byte("during")); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("Append got %v", err)
			}
			if err := j.Begin("not", nil); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("Begin got %v", err)
			}
			if err := j.Check(); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("Check got %v", err)
			}
			j.Done("unknown")
			broken.Store(false)
			must(t, j.Begin("after", nil))
			if now, _ := lastSegment(t, dir); now == first {
				t.Fatal("the segment of the failure is written on")
			}
			must(t, j.Close())
			survives(t, dir, b, "before", "during")
		})
	}
}

func TestADoneThatCouldNotBeWrittenIsNoDamage(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	var broken atomic.Bool
	j, err := journal.OpenFaulty(dir, b, func(o string) error {
		if o == "write" && broken.Load() {
			return syscall.EIO
		}
		return nil
	})
	must(t, err)
	must(t, j.Append("keep", 0, []byte("keep")))
	must(t, j.Append("done", 0, []byte("done")))
	broken.Store(true)
	j.Done("done") // leaves half a frame
	path, data := lastSegment(t, dir)
	crashed := t.TempDir()
	must(t, os.WriteFile(filepath.Join(crashed, filepath.Base(path)), data, 0o600))
	survives(t, crashed, b, "keep", "done")
	broken.Store(false)
	must(t, j.Begin("later", nil))
	must(t, j.Close())
	survives(t, dir, b, "keep")
}
