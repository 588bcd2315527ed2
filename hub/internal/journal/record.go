package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

type recordKind byte

const (
	kindBegin recordKind = 1
	kindReply recordKind = 2
	kindDone  recordKind = 3
)

// record is an entry of the file:
//
//	length uint32 | crc32c uint32 | kind byte | step uint32 | len(op) uint16 | op | sealed payload
//
// Length and checksum cover what follows them. Integers are big-endian.
type record struct {
	kind    recordKind
	op      string
	step    uint32
	payload []byte
}

const (
	headSize  = 8
	maxRecord = 4 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (r record) place() (table, id, column string) {
	return "journal", r.op, strconv.Itoa(int(r.kind)) + "/" + strconv.FormatUint(uint64(r.step), 10)
}

func (r record) frame(box Sealer) ([]byte, error) {
	var sealed []byte
	if r.kind != kindDone {
		var err error
		table, id, column := r.place()
		if sealed, err = box.Seal(r.payload, table, id, column); err != nil {
			return nil, fmt.Errorf("seal a reply for the journal: %w", err)
		}
	}
	frame := make([]byte, headSize, headSize+7+len(r.op)+len(sealed))
	frame = append(frame, byte(r.kind))
	frame = binary.BigEndian.AppendUint32(frame, r.step)
	frame = binary.BigEndian.AppendUint16(frame, uint16(len(r.op)))
	frame = append(frame, r.op...)
	frame = append(frame, sealed...)
	body := frame[headSize:]
	if len(body) > maxRecord {
		return nil, fmt.Errorf("a reply of %d bytes is too large for the journal", len(r.payload))
	}
	binary.BigEndian.PutUint32(frame, uint32(len(body)))
	binary.BigEndian.PutUint32(frame[4:], crc32.Checksum(body, castagnoli))
	return frame, nil
}

var errTorn = errors.New("torn record")

// readRecord reads the record at the reader's place. io.EOF is a clean end,
// errTorn one that a crash cut.
func readRecord(in io.Reader, box Sealer) (record, int, error) {
	var head [headSize]byte
	if n, err := io.ReadFull(in, head[:]); err != nil {
		if n == 0 {
			return record{}, 0, io.EOF
		}
		return record{}, 0, errTorn
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < 7 || length > maxRecord {
		return record{}, 0, errTorn
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(in, body); err != nil {
		return record{}, 0, errTorn
	}
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
		return record{}, 0, errTorn
	}
	opLen := int(binary.BigEndian.Uint16(body[5:]))
	if len(body) < 7+opLen {
		return record{}, 0, errTorn
	}
	r := record{kind: recordKind(body[0]), step: binary.BigEndian.Uint32(body[1:]), op: string(body[7 : 7+opLen])}
	if r.kind != kindDone {
		table, id, column := r.place()
		payload, err := box.Open(body[7+opLen:], table, id, column)
		if err != nil {
			return record{}, 0, fmt.Errorf("the journal was sealed with a key that this hub does not have (restore the key file): %w", err)
		}
		r.payload = payload
	}
	return r, headSize + len(body), nil
}

// replay reads the file. A torn end is what a crash leaves: nobody was told
// that it is durable, so it is dropped.
func (j *Journal) replay() error {
	if _, err := j.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	for {
		r, n, err := readRecord(j.file, j.box)
		if errors.Is(err, io.EOF) || errors.Is(err, errTorn) {
			return nil
		}
		if err != nil {
			return err
		}
		j.size += int64(n)
		j.apply(r)
	}
}

func (j *Journal) compact() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.compactLocked()
}

// compactLocked writes what is pending to a new file and puts it in the old
// one's place: at any moment one whole journal is there.
func (j *Journal) compactLocked() error {
	tmp, err := os.OpenFile(j.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("compact the journal: %w", err)
	}
	size, err := writePending(tmp, j.pending, j.box)
	if err == nil {
		err = errors.Join(tmp.Sync(), lock(tmp), os.Rename(tmp.Name(), j.path), syncDir(filepath.Dir(j.path)))
	}
	if err != nil {
		_ = tmp.Close()
		return fmt.Errorf("compact the journal: %w", err)
	}
	_ = j.file.Close()
	j.file, j.size = tmp, size
	return nil
}

func writePending(f *os.File, pending map[string]*Operation, box Sealer) (int64, error) {
	var size int64
	put := func(r record) error {
		frame, err := r.frame(box)
		if err != nil {
			return err
		}
		n, err := f.Write(frame)
		size += int64(n)
		return err
	}
	for id, op := range pending {
		if err := put(record{kind: kindBegin, op: id, payload: op.Meta}); err != nil {
			return 0, err
		}
		for step, reply := range op.Replies {
			if err := put(record{kind: kindReply, op: id, step: uint32(step), payload: reply}); err != nil {
				return 0, err
			}
		}
	}
	return size, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
