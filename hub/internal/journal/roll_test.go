package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
)

// onDisk counts files and bytes of segments.
func onDisk(t testing.TB, dir string) (files int, bytes int64) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "replies-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	return len(paths), bytes
}

const small = 16 << 10

// load renews n times with 1.5 kB replies; 8 operations are open at any moment.
func load(t testing.TB, j *journal.Journal, n int) {
	t.Helper()
	for k := range n {
		id := fmt.Sprintf("load-%d", k)
		if err := j.Begin(id, nil); err != nil {
			t.Fatal(err)
		}
		if err := j.Append(id, 0, make([]byte, 1500)); err != nil {
			t.Fatal(err)
		}
		if k >= 8 {
			j.Done(fmt.Sprintf("load-%d", k-8))
		}
	}
	for k := max(0, n-8); k < n; k++ {
		j.Done(fmt.Sprintf("load-%d", k))
	}
}

func TestOneStuckOperationDoesNotKeepSegments(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j, err := journal.OpenSized(dir, b, nil, small)
	must(t, err)
	must(t, j.Begin("stuck", []byte("meta")))
	must(t, j.Append("stuck", 0, []byte("stuck")))
	for range 20 { // about 40 segments' worth, looked at while it goes on
		load(t, j, 25)
		if files, bytes := onDisk(t, dir); files > 4 || bytes > 5*small {
			t.Fatalf("%d segments of %d bytes", files, bytes)
		}
	}
	segments, bytes := j.Size()
	if files, size := onDisk(t, dir); files != segments || size != bytes {
		t.Errorf("it counts %d segments of %d bytes, there are %d of %d", segments, bytes, files, size)
	}
	must(t, j.Close())
	j = open(t, dir, b)
	if op, _ := j.Operation("stuck"); string(op.Replies[0]) != "stuck" || string(op.Meta) != "meta" || len(j.Damages()) != 0 {
		t.Fatalf("the stuck operation is %v, damages %v", op, j.Damages())
	}
}

func TestWhatIsPendingBoundsTheSize(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j, err := journal.OpenSized(dir, b, nil, small)
	must(t, err)
	const stuck = 100 // an outage of the database: a hundred replies stay
	for n := range stuck {
		must(t, j.Append(fmt.Sprint("stuck-", n), 0, make([]byte, 1500)))
	}
	_, live := onDisk(t, dir)
	load(t, j, 500)
	if _, bytes := onDisk(t, dir); bytes > 2*live+6*small {
		t.Fatalf("%d bytes for %d that are pending", bytes, live)
	}
	must(t, j.Close())
	j = open(t, dir, b)
	if got := j.Len(); got != stuck {
		t.Fatalf("%d operations are pending", got)
	}
	for n := range stuck {
		j.Done(fmt.Sprint("stuck-", n))
	}
	must(t, j.Close())
	open(t, dir, b)
	if files, bytes := onDisk(t, dir); files != 1 || bytes > 2*small {
		t.Fatalf("%d segments of %d bytes when nearly nothing is pending", files, bytes)
	}
}

// A crash at any moment leaves the files as they are then.
func TestACrashWhileSegmentsGoLosesNothing(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j, err := journal.OpenSized(dir, b, nil, small)
	must(t, err)
	must(t, j.Append("stuck", 0, []byte("stuck")))
	for range 40 {
		load(t, j, 9)
		crashed := t.TempDir()
		must(t, os.CopyFS(crashed, os.DirFS(dir)))
		survives(t, crashed, b, "stuck")
	}
}

func BenchmarkSteadyLoad(b *testing.B) {
	box, err := seal.Create(filepath.Join(b.TempDir(), "key"))
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	j, err := journal.Open(dir, box, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := j.Append("stuck", 0, []byte("stuck")); err != nil {
		b.Fatal(err)
	}
	load(b, j, b.N)
	_, bytes := onDisk(b, dir)
	b.ReportMetric(float64(bytes), "disk-bytes")
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}
