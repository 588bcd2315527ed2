package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"strconv"
)

// oldName is the one file that held the journal before there were segments:
//
//	length uint32 | crc32c uint32 | kind byte | step uint32 | len(op) uint16 | op | sealed payload
//
// It is read once.
const oldName = "replies.journal"

const (
	oldHead  = 8
	oldFixed = 7
)

// readOld reads the file of the format before; nil if there is none.
func readOld(path string, box Sealer) (*found, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := flock(file); err != nil { // a hub of the version before locks it
		return nil, fmt.Errorf("the journal %s is in use by another hub: give each hub a data folder of its own: %w", path, err)
	}
	data, err := readAll(path)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return &found{path: path, old: true, scanned: scanOld(data, box)}, nil
}

// scanOld is scan for the format before, which has no magic: each place is tried.
func scanOld(data []byte, box Sealer) scanned {
	s := scanned{size: int64(len(data)), first: -1}
	at, bad := 0, -1
	for at < len(data) {
		f, n, err := parseOld(data[at:], box)
		if errors.Is(err, errRefused) {
			s.refused++
		}
		if err != nil {
			if bad < 0 {
				bad = at
			}
			at++
			continue
		}
		if bad >= 0 {
			s.damage(int64(bad), int64(at-bad))
			bad = -1
		}
		s.frames = append(s.frames, placed{frame: f, size: n})
		at += n
	}
	s.tail = s.size
	if bad >= 0 {
		s.tail = int64(bad)
	}
	return s
}

func parseOld(data []byte, box Sealer) (frame, int, error) {
	if len(data) < oldHead+oldFixed {
		return frame{}, 0, errBad
	}
	length := int64(binary.BigEndian.Uint32(data))
	if length < oldFixed || length > maxFrame || oldHead+length > int64(len(data)) {
		return frame{}, 0, errBad
	}
	body := data[oldHead : oldHead+length]
	op := int(binary.BigEndian.Uint16(body[5:]))
	f := frame{kind: kind(body[0]), step: binary.BigEndian.Uint32(body[1:])}
	if f.kind < kindBegin || f.kind > kindDone || oldFixed+op > len(body) || crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(data[4:]) {
		return frame{}, 0, errBad
	}
	f.op = string(body[oldFixed : oldFixed+op])
	if f.kind == kindDone {
		return f, oldHead + int(length), nil
	}
	payload, err := box.Open(body[oldFixed+op:], "journal", f.op, strconv.Itoa(int(f.kind))+"/"+strconv.FormatUint(uint64(f.step), 10))
	if err != nil {
		return frame{}, 0, fmt.Errorf("%w: %w", errRefused, err)
	}
	f.payload = payload
	return f, oldHead + int(length), nil
}
