package backup

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

// ErrDamaged is the cause of every error about a file that is not as it was written: it
// was changed, cut off, or is no backup.
var ErrDamaged = errors.New("the backup is damaged")

const (
	magic      = "evergrant backup\n"
	format     = 1
	mostHeader = 4 << 10
	chunk      = 64 << 10
	keyBytes   = 32
)

// Header is what a backup says in clear.
type Header struct {
	Format int `json:"format"`
	// ID is of this backup.
	ID string `json:"id"`
	// MadeAt is when it was begun.
	MadeAt time.Time `json:"made_at"`
	// HubKey is the id of the hub's key that it needs, never the key.
	HubKey uint32 `json:"hub_key"`
	// SealedKey is the file's own key, sealed with the hub's.
	SealedKey []byte `json:"sealed_key"`
}

// sealedWriter seals what is written in chunks. The nonce counts the chunks and marks the
// last one, as in the STREAM construction, so that none can be left out, moved or added.
type sealedWriter struct {
	to    *bufio.Writer
	aead  cipher.AEAD
	bound []byte // the header's hash: associated data of every chunk
	n     uint64
	plain []byte
}

func beginStream(to io.Writer, box *seal.Box, h Header) (*sealedWriter, error) {
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails
	var err error
	if h.SealedKey, err = box.Seal(key, "backup", h.ID, "key"); err != nil {
		return nil, err
	}
	h.Format, h.HubKey = format, box.KeyID()
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	head := append(append([]byte(magic), text...), '\n')
	w := &sealedWriter{to: bufio.NewWriterSize(to, 4*chunk), plain: make([]byte, 0, chunk)}
	if w.aead, w.bound, err = cipherOf(key, head); err != nil {
		return nil, err
	}
	_, err = w.to.Write(head)
	return w, err
}

func cipherOf(key, head []byte) (cipher.AEAD, []byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	sum := sha256.Sum256(head)
	return aead, sum[:], err
}

// nonce of the nth chunk.
func nonce(n uint64, last bool) []byte {
	b := make([]byte, 12)
	binary.BigEndian.PutUint64(b[3:], n)
	if last {
		b[11] = 1
	}
	return b
}

// Write implements io.Writer.
func (w *sealedWriter) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		if len(w.plain) == chunk { // there is more behind it
			if err := w.flush(false); err != nil {
				return written, err
			}
		}
		n := min(len(p), chunk-len(w.plain))
		w.plain = append(w.plain, p[:n]...)
		p, written = p[n:], written+n
	}
	return written, nil
}

func (w *sealedWriter) flush(last bool) error {
	_, err := w.to.Write(w.aead.Seal(nil, nonce(w.n, last), w.plain, w.bound))
	w.plain, w.n = w.plain[:0], w.n+1
	return err
}

// Close seals the end.
func (w *sealedWriter) Close() error {
	if err := w.flush(true); err != nil {
		return err
	}
	return w.to.Flush()
}

// sealedReader reads what sealedWriter has written and returns io.EOF only behind its
// authenticated end.
type sealedReader struct {
	from  *bufio.Reader
	aead  cipher.AEAD
	bound []byte
	n     uint64
	plain []byte
	ended bool
}

// ReadHeader reads what a backup says in clear. It is authenticated only when the rest is
// read.
func ReadHeader(from io.Reader) (Header, error) {
	h, _, err := readHeader(bufio.NewReaderSize(from, mostHeader))
	return h, err
}

func readHeader(from *bufio.Reader) (h Header, head []byte, err error) {
	first, err := from.Peek(len(magic))
	if err != nil || string(first) != magic {
		return h, nil, fmt.Errorf("%w: the file is no backup of evergrant", ErrDamaged)
	}
	_, _ = from.Discard(len(magic))
	text, err := from.ReadSlice('\n')
	if err != nil || len(text) > mostHeader || json.Unmarshal(text, &h) != nil {
		return h, nil, fmt.Errorf("%w: its beginning cannot be read", ErrDamaged)
	}
	if h.Format > format {
		return h, nil, fmt.Errorf("the backup has format %d, made by a newer evergrant; this one knows %d: use the newer one", h.Format, format)
	}
	return h, append([]byte(magic), text...), nil
}

func openStream(from io.Reader, box *seal.Box) (*sealedReader, Header, error) {
	r := &sealedReader{from: bufio.NewReaderSize(from, 4*chunk)}
	h, head, err := readHeader(r.from)
	if err != nil {
		return nil, h, err
	}
	key, err := box.Open(h.SealedKey, "backup", h.ID, "key")
	if err != nil {
		return nil, h, fmt.Errorf("the backup needs the hub's key %d that it was made with; put the copy of that key there: %w", h.HubKey, err)
	}
	if len(key) != keyBytes {
		return nil, h, fmt.Errorf("%w: its key has a wrong length", ErrDamaged)
	}
	r.aead, r.bound, err = cipherOf(key, head)
	return r, h, err
}

// Read implements io.Reader.
func (r *sealedReader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.ended {
			return 0, io.EOF
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// fill opens the next chunk. It is the last one if nothing follows.
func (r *sealedReader) fill() error {
	sealed := make([]byte, chunk+r.aead.Overhead())
	n, err := io.ReadFull(r.from, sealed)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read the backup: %w", err)
	}
	last := err != nil
	if !last {
		_, err := r.from.Peek(1)
		last = errors.Is(err, io.EOF)
	}
	plain, err := r.aead.Open(nil, nonce(r.n, last), sealed[:n], r.bound)
	if err != nil {
		return fmt.Errorf("%w: it was changed or cut off at byte %d of its sealed part, so nothing in it can be believed", ErrDamaged, r.n*uint64(chunk+r.aead.Overhead()))
	}
	r.plain, r.ended, r.n = plain, last, r.n+1
	return nil
}
