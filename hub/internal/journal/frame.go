package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

type kind byte

const (
	kindBegin kind = 1
	kindReply kind = 2
	kindDone  kind = 3
	// kindCopied opens an operation that is copied from an older segment; it keeps the
	// replies that were read before it.
	kindCopied kind = 4
	// kindEnd is the last frame of a segment that was followed by another one.
	kindEnd kind = 5
	// kindSending marks that a request of an operation is about to be written.
	kindSending kind = 6
)

// frame is an entry of a segment:
//
//	magic [4]byte | length uint32 | crc32c uint32 |
//	kind byte | number uint32 | step uint32 | at int64 | len(op) uint16 | op | sealed payload
//
// The length is that of what follows the checksum, which covers both. Integers are
// big-endian. The payload, also an empty one, is sealed with all other fields and the
// segment's sequence as associated data: a frame opens at its own place alone.
type frame struct {
	kind kind
	// number counts the frames of a segment from 0.
	number uint32
	op     string
	step   uint32
	// at is when the operation began, in nanoseconds since 1970; 0 except in frames that
	// open one.
	at      int64
	payload []byte
}

const (
	headSize  = 12
	fixedSize = 19
	// maxFrame has room for the largest reply that a hub grants (plugins.max_body_kib), in
	// base64 and with its headers.
	maxFrame = 16 << 20
	maxOp    = 1 << 10
)

var (
	frameMagic = [4]byte{0xE7, 'E', 'v', 0x1F}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// errRefused is the cause of a frame that is whole and does not open.
var errRefused = errors.New("the frame does not open")

// errBad is the cause of bytes that are no whole frame.
var errBad = errors.New("no whole frame")

func (f frame) place(sequence uint64) (table, id, column string) {
	return "journal", f.op, fmt.Sprintf("%d/%d/%d/%d/%d", sequence, f.number, f.kind, f.step, f.at)
}

// appendTo appends the frame with its position in the segment of a sequence.
func (f frame) appendTo(to []byte, box Sealer, sequence uint64) ([]byte, error) {
	if len(f.op) > maxOp {
		return nil, fmt.Errorf("an operation's id of %d bytes is too long for the journal", len(f.op))
	}
	table, id, column := f.place(sequence)
	sealed, err := box.Seal(f.payload, table, id, column)
	if err != nil {
		return nil, fmt.Errorf("seal a reply for the journal: %w", err)
	}
	length := fixedSize + len(f.op) + len(sealed)
	if length > maxFrame {
		return nil, fmt.Errorf("a reply of %d bytes is too large for the journal", len(f.payload))
	}
	start := len(to)
	to = append(to, frameMagic[:]...)
	to = binary.BigEndian.AppendUint32(to, uint32(length))
	to = append(to, 0, 0, 0, 0, byte(f.kind))
	to = binary.BigEndian.AppendUint32(to, f.number)
	to = binary.BigEndian.AppendUint32(to, f.step)
	to = binary.BigEndian.AppendUint64(to, uint64(f.at))
	to = binary.BigEndian.AppendUint16(to, uint16(len(f.op)))
	to = append(to, f.op...)
	to = append(to, sealed...)
	binary.BigEndian.PutUint32(to[start+8:], sum(to[start:]))
	return to, nil
}

// sum is the checksum of a frame that begins where b does.
func sum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[4:8], castagnoli), castagnoli, b[headSize:])
}

// parseFrame reads the frame that data begins with and returns its size. Without a box
// it looks at the checksum alone. Its error is errBad or errRefused.
func parseFrame(data []byte, box Sealer, sequence uint64) (frame, int, error) {
	if len(data) < headSize+fixedSize || [4]byte(data) != frameMagic {
		return frame{}, 0, errBad
	}
	length := int64(binary.BigEndian.Uint32(data[4:]))
	if length < fixedSize || length > maxFrame || headSize+length > int64(len(data)) {
		return frame{}, 0, errBad
	}
	data = data[:headSize+length]
	body := data[headSize:]
	op := int(binary.BigEndian.Uint16(body[17:]))
	if sum(data) != binary.BigEndian.Uint32(data[8:]) || fixedSize+op > len(body) {
		return frame{}, 0, errBad
	}
	f := frame{
		kind: kind(body[0]), number: binary.BigEndian.Uint32(body[1:]), step: binary.BigEndian.Uint32(body[5:]),
		at: int64(binary.BigEndian.Uint64(body[9:])), op: string(body[fixedSize : fixedSize+op]),
	}
	if box == nil {
		return f, len(data), nil
	}
	table, id, column := f.place(sequence)
	payload, err := box.Open(body[fixedSize+op:], table, id, column)
	if err != nil {
		return frame{}, 0, fmt.Errorf("%w: %w", errRefused, err)
	}
	f.payload = payload
	return f, len(data), nil
}
