package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// header begins a segment:
//
//	magic [8]byte | version uint16 | flags uint16 | sequence uint64 | created int64 | since int64 | copied uint32 | crc32c uint32
type header struct {
	sequence uint64
	// whole is set if the segment begins with a copy of all that was pending.
	whole   bool
	created time.Time
	// since is when the oldest operation began that may have frames in the segment.
	since time.Time
	// copied counts the frames that were durable before the segment had its name.
	copied uint32
}

const (
	headerSize = 44
	version    = 2
	flagWhole  = 1
)

var headerMagic = [8]byte{'E', 'v', 'J', 'o', 'u', 'r', 'n', 0x1A}

var (
	errHeader = errors.New("the segment's header is damaged")
	errNewer  = errors.New("the journal was written by a newer evergrant: run that one, or let it finish what is pending")
)

func (h header) appendTo(to []byte) []byte {
	start, flags := len(to), uint16(0)
	if h.whole {
		flags = flagWhole
	}
	to = append(to, headerMagic[:]...)
	to = binary.BigEndian.AppendUint16(to, version)
	to = binary.BigEndian.AppendUint16(to, flags)
	to = binary.BigEndian.AppendUint64(to, h.sequence)
	to = binary.BigEndian.AppendUint64(to, uint64(h.created.UnixNano()))
	to = binary.BigEndian.AppendUint64(to, uint64(h.since.UnixNano()))
	to = binary.BigEndian.AppendUint32(to, h.copied)
	return binary.BigEndian.AppendUint32(to, crc32.Checksum(to[start:], castagnoli))
}

// parseHeader fails with errHeader, or errNewer for one that is whole.
func parseHeader(data []byte) (header, error) {
	if len(data) < headerSize || [8]byte(data) != headerMagic {
		return header{}, errHeader
	}
	if crc32.Checksum(data[:headerSize-4], castagnoli) != binary.BigEndian.Uint32(data[headerSize-4:]) {
		return header{}, errHeader
	}
	if v := binary.BigEndian.Uint16(data[8:]); v > version {
		return header{}, fmt.Errorf("%w (version %d, this one reads %d)", errNewer, v, version)
	}
	return header{
		whole: binary.BigEndian.Uint16(data[10:])&flagWhole != 0, sequence: binary.BigEndian.Uint64(data[12:]),
		created: time.Unix(0, int64(binary.BigEndian.Uint64(data[20:]))), since: time.Unix(0, int64(binary.BigEndian.Uint64(data[28:]))),
		copied: binary.BigEndian.Uint32(data[36:]),
	}, nil
}

const (
	segmentPrefix = "replies-"
	segmentSuffix = ".journal"
)

func segmentName(sequence uint64) string {
	return fmt.Sprintf("%s%08d%s", segmentPrefix, sequence, segmentSuffix)
}

// sequenceOf reads the name of a segment.
func sequenceOf(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, segmentPrefix)
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, segmentSuffix)
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, ok && err == nil && segmentName(n) == name
}

// segmentPaths lists the segments of a folder in their order.
func segmentPaths(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if _, ok := sequenceOf(e.Name()); ok {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		m, _ := sequenceOf(a)
		n, _ := sequenceOf(b)
		return int(int64(m) - int64(n))
	})
	for i, name := range names {
		names[i] = filepath.Join(dir, name)
	}
	return names, nil
}
