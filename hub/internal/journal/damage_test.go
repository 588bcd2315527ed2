package journal_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
)

// journalOf writes five replies and returns the segment; the last frame is a Done.
func journalOf(t *testing.T, b *seal.Box) (name string, data []byte) {
	t.Helper()
	dir := t.TempDir()
	j := open(t, dir, b)
	for n := range 5 {
		id := fmt.Sprintf("op-%d", n)
		must(t, j.Begin(id, nil))
		must(t, j.Append(id, 0, []byte(id)))
	}
	must(t, j.Begin("over", nil))
	j.Done("over")
	path, data := lastSegment(t, dir)
	return filepath.Base(path), data
}

// memoryDir is a folder in memory where there is one: thousands of opens sync less there.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "journal-") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// reopened opens a folder with one segment.
func reopened(t *testing.T, b *seal.Box, name string, data []byte) (*journal.Journal, string) {
	t.Helper()
	dir := memoryDir(t)
	must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	j, err := journal.Open(dir, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, dir
}

func TestAFlippedBitLosesAtMostTheReplyThatItIsIn(t *testing.T) {
	b := box(t)
	name, data := journalOf(t, b)
	lastFrame := bytes.LastIndex(data, []byte{0xE7, 'E', 'v', 0x1F})
	for bit := range len(data) * 8 {
		changed := bytes.Clone(data)
		changed[bit/8] ^= 1 << (bit % 8)
		j, _ := reopened(t, b, name, changed)
		there := 0
		for _, op := range j.Pending() {
			if reply, ok := op.Replies[0]; ok && string(reply) != op.ID {
				t.Fatalf("bit %d: %s has the reply %q", bit, op.ID, reply)
			} else if ok {
				there++
			}
		}
		if there < 4 {
			t.Fatalf("bit %d: %d of 5 replies are left", bit, there)
		}
		damages := j.Damages()
		if torn := bit/8 >= lastFrame; torn != (len(damages) == 0) {
			t.Fatalf("bit %d of %d: damages %v", bit, len(data)*8, damages)
		}
		for _, d := range damages {
			if kept, err := os.ReadFile(d.KeptAs); err != nil || !bytes.Equal(kept, changed) {
				t.Fatalf("bit %d: what was kept differs: %v", bit, err)
			}
			if d.Offset > int64(bit/8) || d.Bytes == 0 || !j.MayHaveLost(time.Now().Add(-time.Second)) || j.MayHaveLost(time.Now().Add(time.Second)) {
				t.Fatalf("bit %d: %+v", bit, d)
			}
		}
		must(t, j.Close())
	}
}

func TestATornEndLosesOnlyWhatNobodyWasPromised(t *testing.T) {
	b := box(t)
	name, data := journalOf(t, b)
	for cut := range data {
		j, dir := reopened(t, b, name, data[:cut])
		for _, op := range j.Pending() {
			if reply, ok := op.Replies[0]; ok && string(reply) != op.ID {
				t.Fatalf("cut at %d: %s has the reply %q", cut, op.ID, reply)
			}
		}
		if damaged := len(j.Damages()) > 0; damaged != (cut < 44) { // the header was durable
			t.Fatalf("cut at %d: damages %v", cut, j.Damages())
		}
		must(t, j.Begin("later", nil))
		must(t, j.Append("later", 0, []byte("goes on")))
		must(t, j.Close())
		j = open(t, dir, b)
		if op, _ := j.Operation("later"); string(op.Replies[0]) != "goes on" {
			t.Fatalf("cut at %d: what came later is lost", cut)
		}
		must(t, j.Close())
	}
}

func TestEveryReplyBehindAHoleIsFound(t *testing.T) {
	b := box(t)
	name, data := journalOf(t, b)
	for at := 44; at < len(data)-1; at += 7 {
		for _, hole := range []func([]byte) []byte{
			func(d []byte) []byte { return append(d[:at], d[min(at+40, len(d)):]...) },                 // taken out
			func(d []byte) []byte { clear(d[at:min(at+300, len(d))]); return d },                       // zeros
			func(d []byte) []byte { return append(d[:at:at], append(make([]byte, 99), d[at:]...)...) }, // put in
		} {
			j, _ := reopened(t, b, name, hole(bytes.Clone(data)))
			if got := j.Len(); got < 2 {
				t.Fatalf("hole at %d: %d operations are left", at, got)
			}
			must(t, j.Close())
		}
	}
}

// frames cuts a segment.
func frames(data []byte) (head []byte, frames [][]byte) {
	parts := bytes.Split(data, []byte{0xE7, 'E', 'v', 0x1F})
	for _, p := range parts[1:] {
		frames = append(frames, append([]byte{0xE7, 'E', 'v', 0x1F}, p...))
	}
	return parts[0], frames
}

func TestAFrameIsTakenAtItsOwnPlaceAlone(t *testing.T) {
	b := box(t)
	name, data := journalOf(t, b)
	head, all := frames(data)
	join := func(f ...[]byte) []byte { return append(bytes.Clone(head), bytes.Join(f, nil)...) }
	without := join(append(append([][]byte{}, all[:3]...), all[4:]...)...)
	twice := join(append(append([][]byte{}, all...), all[0], all[1])...)
	_, other := journalOf(t, b)
	_, foreign := frames(other)
	// A Done of another journal at the end, and a reply of it in the middle.
	forged := join(append(append([][]byte{}, all[:4]...), append([][]byte{foreign[3]}, all[4:]...)...)...)
	for what, segment := range map[string][]byte{"a frame is missing": without, "a frame of another segment": forged} {
		j, _ := reopened(t, b, name, segment)
		if len(j.Damages()) != 1 {
			t.Errorf("%s: damages %v", what, j.Damages())
		}
	}
	j, _ := reopened(t, b, name, twice)
	if j.Len() != 5 {
		t.Errorf("a repeated frame: %d pending", j.Len())
	}
}

func TestAForgedDoneDropsNoReply(t *testing.T) {
	b := box(t)
	dir := t.TempDir()
	j := open(t, dir, b)
	must(t, j.Append("spend", 0, []byte("the only live token")))
	must(t, j.Append("other", 0, []byte("x")))
	path, data := lastSegment(t, dir)
	// A Done of the same name from a journal of another key's owner, at the right place.
	stranger := t.TempDir()
	k := open(t, stranger, box(t))
	must(t, k.Append("spend", 0, nil))
	must(t, k.Append("other", 0, nil))
	k.Done("spend")
	_, theirs := lastSegment(t, stranger)
	_, all := frames(theirs)
	must(t, j.Close())
	must(t, os.WriteFile(path, append(data, all[2]...), 0o600))
	j = open(t, dir, b)
	if op, ok := j.Operation("spend"); !ok || string(op.Replies[0]) != "the only live token" {
		t.Fatal("a forged Done dropped a reply")
	}
}

func TestDamageIsSaidOnceLoudlyAndKnownUntilItsFilesAreRemoved(t *testing.T) {
	b := box(t)
	name, data := journalOf(t, b)
	data[100] ^= 1
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	var log bytes.Buffer
	logger := hclog.New(&hclog.LoggerOptions{Output: &log})
	began := time.Now()
	for n := range 3 {
		j, err := journal.Open(dir, b, logger)
		must(t, err)
		if len(j.Damages()) != 1 || strings.Count(log.String(), "[ERROR]") != 1 || !j.MayHaveLost(began) {
			t.Fatalf("open %d: damages %v, log:\n%s", n, j.Damages(), &log)
		}
		stats, err := journal.Inspect(dir)
		must(t, err)
		if len(stats.Known) != 1 || len(stats.Unread) != 0 {
			t.Fatalf("%+v", stats)
		}
		must(t, j.Close())
	}
	j, err := journal.Open(dir, b, logger)
	must(t, err)
	must(t, os.RemoveAll(filepath.Join(dir, "damaged")))
	if len(j.Damages()) != 0 || j.MayHaveLost(began) {
		t.Fatal("damage counts although its files were removed")
	}
	must(t, j.Close())
}

func TestDamageIsSeenFromOutsideBeforeAHubOpensIt(t *testing.T) {
	b := box(t)
	name, data := journalOf(t, b)
	data[100] ^= 1
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	stats, err := journal.Inspect(dir)
	if err != nil || len(stats.Unread) != 1 || stats.Unread[0].Bytes == 0 {
		t.Fatalf("%+v, %v", stats, err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(after, data) {
		t.Fatal("looking changed the file")
	}
}

func TestWhatIsKeptAsideIsBounded(t *testing.T) {
	b := box(t)
	dir := t.TempDir()
	for range 20 {
		j := open(t, dir, b)
		must(t, j.Append("op", 0, []byte("reply")))
		must(t, j.Append("op", 1, []byte("reply")))
		must(t, j.Close())
		path, data := lastSegment(t, dir)
		data[60] ^= 1
		must(t, os.WriteFile(path, data, 0o600))
	}
	j := open(t, dir, b)
	kept, err := filepath.Glob(filepath.Join(dir, "damaged", "*.journal"))
	must(t, err)
	if len(kept) != 16 || len(j.Damages()) != 20 {
		t.Fatalf("%d files, %d damages", len(kept), len(j.Damages()))
	}
}

func TestAMissingSegmentIsDamage(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	j, err := journal.OpenSized(dir, b, nil, 4<<10)
	must(t, err)
	began := time.Now()
	for n := range 12 {
		must(t, j.Append(fmt.Sprint("op-", n), 0, make([]byte, 2000)))
	}
	paths, err := filepath.Glob(filepath.Join(dir, "replies-*.journal"))
	must(t, err)
	must(t, os.Remove(paths[len(paths)/2]))
	must(t, j.Close())
	j = open(t, dir, b)
	if d := j.Damages(); len(d) != 1 || d[0].Segment != filepath.Base(paths[len(paths)/2]) || !j.MayHaveLost(began) {
		t.Fatalf("damages %+v", d)
	}
}

func TestATruncatedSegmentThatIsNotTheLastIsDamage(t *testing.T) {
	b := box(t)
	for _, whole := range []bool{false, true} { // at the end of a frame, and in one
		dir := t.TempDir()
		j, err := journal.OpenSized(dir, b, nil, 4<<10)
		must(t, err)
		for n := range 12 {
			must(t, j.Append(fmt.Sprint("op-", n), 0, make([]byte, 2000)))
		}
		must(t, j.Close())
		paths, err := filepath.Glob(filepath.Join(dir, "replies-*.journal"))
		must(t, err)
		data, err := os.ReadFile(paths[1])
		must(t, err)
		head, all := frames(data)
		cut := len(head) + len(all[0])
		if !whole {
			cut += 30
		}
		must(t, os.Truncate(paths[1], int64(cut)))
		j = open(t, dir, b)
		if len(j.Damages()) != 1 || j.Len() < 9 {
			t.Fatalf("damages %+v, %d operations", j.Damages(), j.Len())
		}
		must(t, j.Close())
	}
}

func TestANewerFormatIsLeftAlone(t *testing.T) {
	b := box(t)
	name, data := journalOf(t, b)
	data[9] = 3
	binary.BigEndian.PutUint32(data[40:], crc32.Checksum(data[:40], crc32.MakeTable(crc32.Castagnoli)))
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, data, 0o600))
	if _, err := journal.Open(filepath.Dir(path), b, nil); err == nil || !strings.Contains(err.Error(), "newer evergrant") {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, data) {
		t.Fatal("the file was changed")
	}
}
