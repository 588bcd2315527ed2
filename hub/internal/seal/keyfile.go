package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Open reads the keyset file at path. Others than its owner must not be able to
// read it.
func Open(path string) (*Box, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("the key file %s has mode %04o, so others can read the hub's key: run chmod 600 %s", path, mode, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	b, err := fromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("the key file %s: %w", path, err)
	}
	return b, nil
}

// Create makes a keyset with one new key and writes it to path, mode 0600. The
// file must not exist yet; it is durable when Create returns.
func Create(path string) (*Box, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	b, err := newBox(handle)
	if err != nil {
		return nil, err
	}
	if err := writeNew(path, handle); err != nil {
		return nil, fmt.Errorf("create the key file: %w", err)
	}
	return b, nil
}

// OpenOrCreate opens the keyset file, or creates it if there is none. created
// reports which, so that the hub can log where its key is.
func OpenOrCreate(path string) (b *Box, created bool, err error) {
	b, err = Create(path)
	if errors.Is(err, fs.ErrExist) {
		b, err = Open(path)
		return b, false, err
	}
	return b, err == nil, err
}

// FromKey reads a keyset from the text of an environment variable: the content
// of a keyset file in base64, as `base64 -w0 evergrant.key` prints it.
func FromKey(text string) (*Box, error) {
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil { // the cause would quote a part of the key
		return nil, errors.New("the key is not base64: give what `base64 -w0 evergrant.key` prints")
	}
	b, err := fromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("the key: %w", err)
	}
	return b, nil
}

func fromJSON(data []byte) (*Box, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(data)))
	if err != nil {
		return nil, errors.New("no keyset in it; restore it from a backup")
	}
	return newBox(handle)
}

// writeNew writes a keyset to a file that does not exist yet.
func writeNew(path string, handle *keyset.Handle) error {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text.Bytes())
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(path)
		return err
	}
	return syncFolder(path)
}

// syncFolder makes the name of a file durable.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
