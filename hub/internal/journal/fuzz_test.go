package journal_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
)

// FuzzSegment cuts a segment at one place, puts bytes in and takes some out: no reply
// appears that was not written, and all that lie behind the damage are found.
func FuzzSegment(f *testing.F) {
	f.Add(uint16(0), uint16(8), []byte{})
	f.Add(uint16(50), uint16(1), []byte{0})
	f.Add(uint16(300), uint16(200), []byte{0xE7, 'E', 'v', 0x1F, 0, 0, 0, 40})
	f.Add(uint16(44), uint16(0), bytes.Repeat([]byte{0xE7, 'E', 'v', 0x1F, 0xff, 0xff, 0xff, 0xff}, 9))
	f.Add(uint16(9), uint16(1), []byte{3})
	box, err := seal.Create(filepath.Join(f.TempDir(), "key"))
	if err != nil {
		f.Fatal(err)
	}
	dir := f.TempDir()
	j, err := journal.Open(dir, box, nil)
	if err != nil {
		f.Fatal(err)
	}
	ends := map[string]int{} // where each reply begins
	for n := range 6 {
		id := fmt.Sprintf("op-%d", n)
		path, data := lastSegment(f, dir)
		ends[id] = len(data)
		if err := j.Append(id, n, []byte(id)); err != nil {
			f.Fatal(path, err)
		}
	}
	_, data := lastSegment(f, dir)
	if err := j.Close(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, at, out uint16, in []byte) {
		from := min(int(at), len(data))
		to := min(from+int(out), len(data))
		changed := bytes.Join([][]byte{data[:from], in, data[to:]}, nil)
		replies, damaged, err := journal.Scan(changed, 1, box)
		if err != nil {
			t.Skip() // a header of a newer format has a checksum: nobody gets there by chance
		}
		for id, reply := range replies {
			if ends[id] == 0 || reply != id {
				t.Fatalf("%s has the reply %q, which was not written", id, reply)
			}
		}
		for id, begins := range ends {
			if _, ok := replies[id]; !ok && begins >= to {
				t.Fatalf("%s lies whole behind the damage and is not found", id)
			}
		}
		if !bytes.Equal(changed, data) && len(replies) == len(ends) && !damaged && len(changed) < len(data) {
			t.Fatal("bytes are gone, and nothing is damaged")
		}
	})
}

func FuzzAnyBytes(f *testing.F) {
	f.Add([]byte("EvJourn\x1a"), uint64(1))
	f.Add([]byte{}, uint64(0))
	box, err := seal.Create(filepath.Join(f.TempDir(), "key"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, sequence uint64) {
		if replies, _, err := journal.Scan(data, sequence, box); err == nil && len(replies) > 0 {
			t.Fatalf("%d replies that nobody wrote", len(replies))
		}
	})
}
