package journal

import (
	"bytes"
	"errors"
	"os"
	"syscall"
)

// scanned is the content of a segment.
type scanned struct {
	header  header
	headed  bool // the header is whole
	frames  []placed
	ended   bool // the last frame is kindEnd
	refused int  // whole frames that do not open
	size    int64
	// tail is where the bytes begin that no whole frame follows; size if there are none.
	tail int64
	// skipped counts damaged bytes in front of whole frames, lost is set if frames are
	// missing, and first is the first damaged byte; -1 without damage.
	skipped, first int64
	lost           bool
}

// placed is a frame and its size in the segment.
type placed struct {
	frame
	size int
}

func (s *scanned) damage(at, n int64) {
	if s.first < 0 {
		s.first = at
	}
	s.skipped += n
}

// scan reads a segment. What is damaged is skipped up to the next whole frame. The
// sequence is used if the header is damaged. Without a box no frame is opened.
func scan(data []byte, sequence uint64, box Sealer) (scanned, error) {
	s := scanned{size: int64(len(data)), first: -1}
	h, err := parseHeader(data)
	if errors.Is(err, errNewer) {
		return s, err
	}
	at := headerSize
	if s.headed = err == nil; s.headed {
		s.header = h
	} else {
		s.header.sequence = sequence
		at = s.next(data, 0, box)
		s.damage(0, int64(at))
	}
	for at < len(data) {
		f, n, err := s.whole(data[at:], box)
		if err == nil {
			s.take(f, n, int64(at))
			at += n
			continue
		}
		next := s.next(data, at+1, box)
		if next == len(data) {
			break
		}
		s.damage(int64(at), int64(next-at))
		at = next
	}
	s.tail = int64(at)
	return s, nil
}

// take adds a frame. One that was removed from the file shows by the numbers.
func (s *scanned) take(f frame, n int, at int64) {
	if f.number != s.expected() {
		s.lost = true
		s.damage(at, 0)
	}
	s.frames = append(s.frames, placed{frame: f, size: n})
	s.ended = f.kind == kindEnd
}

func (s *scanned) expected() uint32 {
	if len(s.frames) == 0 {
		return 0
	}
	return s.frames[len(s.frames)-1].number + 1
}

// whole reads a frame that may follow what was read: known, and of a later number.
func (s *scanned) whole(data []byte, box Sealer) (frame, int, error) {
	f, n, err := parseFrame(data, box, s.header.sequence)
	if errors.Is(err, errRefused) {
		s.refused++
	}
	if err != nil {
		return frame{}, 0, err
	}
	if f.kind < kindBegin || f.kind > kindSending || f.number < s.expected() {
		return frame{}, 0, errBad
	}
	return f, n, nil
}

// next is where the next whole frame begins, at a place or behind it.
func (s *scanned) next(data []byte, at int, box Sealer) int {
	for at < len(data) {
		i := bytes.Index(data[at:], frameMagic[:])
		if i < 0 {
			break
		}
		at += i
		_, _, err := s.whole(data[at:], box)
		if err == nil {
			return at
		}
		at++
	}
	return len(data)
}

// copyIsWhole reports whether the frames are there that the segment began with.
func (s *scanned) copyIsWhole() bool {
	n := 0
	for _, f := range s.frames {
		if f.number < s.header.copied {
			n++
		}
	}
	return s.headed && n == int(s.header.copied)
}

// readBlock is what a disk loses at the least.
const readBlock = 4096

// readAll reads a file; what the disk does not give back reads as zeros.
func readAll(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if !errors.Is(err, syscall.EIO) {
		return data, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data = make([]byte, info.Size())
	for at := 0; at < len(data); at += readBlock {
		block := data[at:min(at+readBlock, len(data))]
		if _, err := f.ReadAt(block, int64(at)); err != nil {
			clear(block)
		}
	}
	return data, nil
}
