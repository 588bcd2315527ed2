package seal

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Rotate adds a new key that seals from now on, and rewrites the keyset file at
// path; older keys still open. A hub that does not have the new key cannot open
// what it has sealed: with several replicas stop all, rotate, give each the file.
func (b *Box) Rotate(path string) error {
	return b.rewrite(path, func(m *keyset.Manager) error {
		id, err := m.Add(aead.AES256GCMKeyTemplate())
		if err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		if err := m.SetPrimary(id); err != nil {
			return fmt.Errorf("make key %d the primary one: %w", id, err)
		}
		return nil
	})
}

// Retire removes older keys and rewrites the keyset file at path. What they have sealed
// does not open any more. The key that seals cannot be removed.
func (b *Box) Retire(path string, ids ...uint32) error {
	return b.rewrite(path, func(m *keyset.Manager) error {
		for _, id := range ids {
			if id == b.KeyID() {
				return fmt.Errorf("key %d is the one that seals", id)
			}
			if err := m.Delete(id); err != nil {
				return fmt.Errorf("remove key %d: %w", id, err)
			}
		}
		return nil
	})
}

// rewrite changes the keyset. The file comes first: a key that seals must not be lost.
func (b *Box) rewrite(path string, change func(*keyset.Manager) error) error {
	manager := keyset.NewManagerFromHandle(b.keys.Load().handle)
	if err := change(manager); err != nil {
		return err
	}
	handle, err := manager.Handle()
	if err != nil {
		return fmt.Errorf("change the keyset: %w", err)
	}
	fresh := path + ".new"
	if err := writeNew(fresh, handle); err != nil {
		return fmt.Errorf("write the new key file (if an earlier change was interrupted, remove %s): %w", fresh, err)
	}
	if err := os.Rename(fresh, path); err != nil {
		_ = os.Remove(fresh)
		return fmt.Errorf("replace the key file: %w", err)
	}
	if err := syncFolder(path); err != nil {
		return err
	}
	return b.use(handle)
}

// Keys are the ids of the keys that open, the one that seals first.
func (b *Box) Keys() []uint32 {
	handle, primary := b.keys.Load().handle, b.KeyID()
	ids := []uint32{primary}
	for i := range handle.Len() {
		if entry, err := handle.Entry(i); err == nil && entry.KeyID() != primary {
			ids = append(ids, entry.KeyID())
		}
	}
	slices.Sort(ids[1:])
	return ids
}

// PrefixSize is the number of bytes by which a sealed value names its key.
const PrefixSize = 5

// Prefix is how everything begins that Seal makes now.
func (b *Box) Prefix() []byte { return binary.BigEndian.AppendUint32([]byte{1}, b.KeyID()) }
