package journal_test

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

// oldFrame is an entry of the one file that the journal was before there were segments.
func oldFrame(t *testing.T, b *seal.Box, kind byte, op string, step int, payload string) []byte {
	t.Helper()
	var sealed []byte
	if kind != 3 {
		var err error
		sealed, err = b.Seal([]byte(payload), "journal", op, strconv.Itoa(int(kind))+"/"+strconv.Itoa(step))
		must(t, err)
	}
	body := binary.BigEndian.AppendUint32([]byte{kind}, uint32(step))
	body = binary.BigEndian.AppendUint16(body, uint16(len(op)))
	body = append(append(body, op...), sealed...)
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	frame = binary.BigEndian.AppendUint32(frame, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(frame, body...)
}

func oldFile(t *testing.T, b *seal.Box) (data []byte, secondAt int) {
	t.Helper()
	data = append(data, oldFrame(t, b, 1, "one", 0, "meta")...)
	data = append(data, oldFrame(t, b, 2, "one", 0, "reply one")...)
	secondAt = len(data)
	data = append(data, oldFrame(t, b, 2, "two", 3, "reply two")...)
	data = append(data, oldFrame(t, b, 2, "done", 0, "saved")...)
	data = append(data, oldFrame(t, b, 3, "done", 0, "")...)
	return append(data, oldFrame(t, b, 2, "three", 0, "reply three")...), secondAt
}

func TestTheFileOfTheFormatBeforeIsTakenOver(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	data, _ := oldFile(t, b)
	path := filepath.Join(dir, "replies.journal")
	must(t, os.WriteFile(path, append(data, 0, 0, 1), 0o600)) // with a torn end
	for range 2 {
		j := open(t, dir, b)
		if len(j.Pending()) != 3 || len(j.Damages()) != 0 {
			t.Fatalf("%d pending, damages %v", len(j.Pending()), j.Damages())
		}
		op, _ := j.Operation("one")
		two, _ := j.Operation("two")
		if string(op.Meta) != "meta" || string(op.Replies[0]) != "reply one" || string(two.Replies[3]) != "reply two" {
			t.Fatalf("%v %v", op, two)
		}
		must(t, j.Close())
		if _, err := os.Stat(path); err == nil {
			t.Fatal("the old file is still there")
		}
	}
}

func TestADamagedFileOfTheFormatBeforeLosesOneReply(t *testing.T) {
	dir, b := t.TempDir(), box(t)
	data, second := oldFile(t, b)
	data[second+12] ^= 4
	must(t, os.WriteFile(filepath.Join(dir, "replies.journal"), data, 0o600))
	j := open(t, dir, b)
	for _, op := range []string{"one", "three"} {
		if _, ok := j.Operation(op); !ok {
			t.Errorf("%s is lost", op)
		}
	}
	if len(j.Pending()) != 2 || len(j.Damages()) != 1 {
		t.Fatalf("%d pending, damages %v", len(j.Pending()), j.Damages())
	}
	kept, err := os.ReadFile(j.Damages()[0].KeptAs)
	if err != nil || string(kept) != string(data) {
		t.Fatalf("what was kept differs: %v", err)
	}
}
