package backup

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// Manifest is the first record: what the rest is.
type Manifest struct {
	// Version is of the evergrant that made it, Schema of the tables.
	Version string `json:"version"`
	Schema  int64  `json:"schema"`
	// Database is store.SQLite or store.PostgreSQL.
	Database string    `json:"database"`
	MadeAt   time.Time `json:"made_at"`
	// HubKey is the id of the key that sealed the values last.
	HubKey uint32        `json:"hub_key"`
	Tables []store.Table `json:"tables"`
}

// ending is the last record.
type ending struct {
	// Rows counts those of each table.
	Rows map[string]int64 `json:"rows"`
	// Newest counts the token sets of the data folder.
	Newest int64 `json:"newest"`
}

// The kinds of records. Behind the manifest, each table begins with its name; its rows
// follow. The token sets of the data folder are rows of a table of their own.
const (
	kindManifest = 'M'
	kindTable    = 'T'
	kindRow      = 'R'
	kindEnd      = 'E'
)

// The kinds of values in a row.
const (
	valueNull  = 0
	valueInt   = 1
	valueText  = 2
	valueBytes = 3
)

// mostValue bounds a value, in bytes; the pieces of plugin packages are the largest.
const mostValue = 256 << 20

type recordWriter struct {
	to  *bufio.Writer
	buf []byte
}

func (w *recordWriter) json(kind byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.buf = append(w.buf[:0], kind)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(data)))
	w.buf = append(w.buf, data...)
	_, err = w.to.Write(w.buf)
	return err
}

func (w *recordWriter) row(values []any) error {
	w.buf = append(w.buf[:0], kindRow)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(values)))
	for _, value := range values {
		switch v := value.(type) {
		case nil:
			w.buf = append(w.buf, valueNull)
		case int64:
			w.buf = binary.AppendVarint(append(w.buf, valueInt), v)
		case string:
			w.buf = binary.AppendUvarint(append(w.buf, valueText), uint64(len(v)))
			w.buf = append(w.buf, v...)
		case []byte:
			w.buf = binary.AppendUvarint(append(w.buf, valueBytes), uint64(len(v)))
			w.buf = append(w.buf, v...)
		default:
			return fmt.Errorf("a value of the type %T cannot be written", value)
		}
	}
	_, err := w.to.Write(w.buf)
	return err
}

type recordReader struct{ from *bufio.Reader }

// damaged is for what was authenticated and is wrong all the same.
func damaged(what string) error { return fmt.Errorf("%w: %s", ErrDamaged, what) }

// kind reads which record follows.
func (r *recordReader) kind() (byte, error) {
	kind, err := r.from.ReadByte()
	if errors.Is(err, io.EOF) {
		return 0, damaged("it ends before its last record")
	}
	return kind, err
}

func (r *recordReader) bytes() ([]byte, error) {
	n, err := binary.ReadUvarint(r.from)
	if err != nil {
		return nil, err
	}
	if n > mostValue {
		return nil, damaged("a value is too large")
	}
	data := make([]byte, n)
	_, err = io.ReadFull(r.from, data)
	return data, err
}

func (r *recordReader) json(v any) error {
	data, err := r.bytes()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return damaged("a record cannot be read")
	}
	return nil
}

func (r *recordReader) row(columns int) ([]any, error) {
	n, err := binary.ReadUvarint(r.from)
	if err != nil {
		return nil, err
	}
	if n != uint64(columns) {
		return nil, damaged("a row has not as many values as its table has columns")
	}
	values := make([]any, n)
	for i := range values {
		if values[i], err = r.value(); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (r *recordReader) value() (any, error) {
	kind, err := r.from.ReadByte()
	if err != nil {
		return nil, err
	}
	switch kind {
	case valueNull:
		return nil, nil
	case valueInt:
		return binary.ReadVarint(r.from)
	case valueText:
		text, err := r.bytes()
		return string(text), err
	case valueBytes:
		return r.bytes()
	}
	return nil, damaged("a value is of an unknown kind")
}
