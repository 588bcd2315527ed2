package journal

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

// SealedBy counts what is in the journal of a folder by the key that has sealed it; it
// needs no key and changes nothing. A hub may write to it meanwhile.
func SealedBy(dir string) (map[uint32]int, error) {
	paths, err := segmentPaths(dir)
	if err != nil {
		return nil, fmt.Errorf("read the journal's folder: %w", err)
	}
	counts := keyCount{}
	if _, err := scanAll(paths, counts); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return counts, nil
}

// keyCount is a Sealer that counts keys instead of opening.
type keyCount map[uint32]int

// Seal is never called: nothing is written.
func (keyCount) Seal([]byte, string, string, string) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// Open counts.
func (k keyCount) Open(sealed []byte, _, _, _ string) ([]byte, error) {
	if key, ok := seal.KeyOf(sealed); ok {
		k[key]++
	}
	return nil, nil
}
