package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrOpen is the cause of every Open that fails: the ciphertext was changed,
// belongs to another place, or its key is not in the keyset.
var ErrOpen = errors.New("the sealed value does not open")

// Box seals and opens. It is safe for concurrent use, also while it is rotated.
type Box struct {
	keys atomic.Pointer[keys]
}

// keys is a keyset and the primitive made from it.
type keys struct {
	handle *keyset.Handle
	aead   tink.AEAD
}

func newBox(handle *keyset.Handle) (*Box, error) {
	b := &Box{}
	if err := b.use(handle); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Box) use(handle *keyset.Handle) error {
	primitive, err := aead.New(handle)
	if err != nil {
		return fmt.Errorf("the keyset holds no keys that seal; restore the hub's key file from a backup: %w", err)
	}
	b.keys.Store(&keys{handle: handle, aead: primitive})
	return nil
}

// Seal encrypts plain for its place. The result is 33 bytes longer.
func (b *Box) Seal(plain []byte, table, id, column string) ([]byte, error) {
	sealed, err := b.keys.Load().aead.Encrypt(plain, place(table, id, column))
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s of %s: %w", table, column, id, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same place. Its error wraps ErrOpen and
// says which row is concerned, never what was in it.
func (b *Box) Open(sealed []byte, table, id, column string) ([]byte, error) {
	k := b.keys.Load()
	plain, err := k.aead.Decrypt(sealed, place(table, id, column))
	if err == nil {
		return plain, nil
	}
	if key, ok := KeyOf(sealed); ok && !k.has(key) {
		return nil, fmt.Errorf("open %s.%s of %s: %w: it needs key %d, which the keyset does not have; bring back the keyset that sealed it",
			table, column, id, ErrOpen, key)
	}
	return nil, fmt.Errorf("open %s.%s of %s: %w: it was changed or moved here from another row", table, column, id, ErrOpen)
}

// KeyID returns the id of the key that Seal uses.
func (b *Box) KeyID() uint32 {
	primary, err := b.keys.Load().handle.Primary()
	if err != nil { // use has checked that there is one
		return 0
	}
	return primary.KeyID()
}

// String keeps the keys out of %v.
func (b *Box) String() string { return fmt.Sprintf("seal.Box{key %d}", b.KeyID()) }

// GoString keeps the keys out of %#v.
func (b *Box) GoString() string { return b.String() }

func (k *keys) has(id uint32) bool {
	for i := range k.handle.Len() {
		if entry, err := k.handle.Entry(i); err == nil && entry.KeyID() == id {
			return true
		}
	}
	return false
}

// KeyOf is the id of the key that has sealed a value; false if it is no sealed value. It is
// Tink's output prefix: 0x01 and four bytes.
func KeyOf(sealed []byte) (uint32, bool) {
	if len(sealed) < PrefixSize || sealed[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:5]), true
}

func place(table, id, column string) []byte { return []byte(table + "|" + id + "|" + column) }
