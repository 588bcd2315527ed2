package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

const plain = "rotated-refresh-token"

func newBox(t *testing.T) (*seal.Box, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "evergrant.key")
	box, err := seal.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return box, path
}

func mustSeal(t *testing.T, box *seal.Box, table, id, column string) []byte {
	t.Helper()
	sealed, err := box.Seal([]byte(plain), table, id, column)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealedValueOpensOnlyAtItsPlace(t *testing.T) {
	box, _ := newBox(t)
	sealed := mustSeal(t, box, "connections", "1", "tokens")
	if bytes.Contains(sealed, []byte(plain)) {
		t.Fatal("the plain text is in the sealed value")
	}
	for _, at := range []struct {
		table, id, column string
		opens             bool
	}{
		{"connections", "1", "tokens", true},
		{"connections", "2", "tokens", false},
		{"services", "1", "tokens", false},
		{"connections", "1", "reply", false},
	} {
		opened, err := box.Open(sealed, at.table, at.id, at.column)
		switch {
		case at.opens && (err != nil || string(opened) != plain):
			t.Errorf("%v: got %q, %v", at, opened, err)
		case !at.opens && !errors.Is(err, seal.ErrOpen):
			t.Errorf("%v: opened with %v", at, err)
		}
	}
}

func TestSwappedOrChangedCiphertextDoesNotOpen(t *testing.T) {
	box, _ := newBox(t)
	one, two := mustSeal(t, box, "connections", "1", "tokens"), mustSeal(t, box, "connections", "2", "tokens")
	if _, err := box.Open(two, "connections", "1", "tokens"); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("another row's value opened: %v", err)
	}
	for i := range one {
		changed := bytes.Clone(one)
		changed[i] ^= 1
		_, err := box.Open(changed, "connections", "1", "tokens")
		if !errors.Is(err, seal.ErrOpen) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if strings.Contains(err.Error(), plain) {
			t.Fatalf("the error tells the secret: %v", err)
		}
	}
	if _, err := box.Open(nil, "connections", "1", "tokens"); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("nothing opened: %v", err)
	}
}

func TestKeyFileIsPrivateAndNeverOverwritten(t *testing.T) {
	box, path := newBox(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if _, err := seal.Create(path); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("a second Create: %v", err)
	}
	sealed := mustSeal(t, box, "t", "1", "c")
	again, created, err := seal.OpenOrCreate(path)
	if err != nil || created {
		t.Fatalf("created %v, %v", created, err)
	}
	if _, err := again.Open(sealed, "t", "1", "c"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Open(path); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Fatalf("a file that others can read: %v", err)
	}
	if _, created, err := seal.OpenOrCreate(filepath.Join(t.TempDir(), "new.key")); err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
}

func TestKeyFromEnvironmentIsTheSameKey(t *testing.T) {
	box, path := newBox(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString(data)
	same, err := seal.FromKey(text[:20] + "\n" + text[20:] + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := same.Open(mustSeal(t, box, "t", "1", "c"), "t", "1", "c"); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "no base64, but a secret", base64.StdEncoding.EncodeToString([]byte("secret")), text[:40]} {
		if _, err := seal.FromKey(wrong); err == nil || (wrong != "" && strings.Contains(err.Error(), wrong)) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestRotatedKeysetOpensOldAndNew(t *testing.T) {
	box, path := newBox(t)
	before, old := box.KeyID(), mustSeal(t, box, "t", "1", "c")
	outdated, err := seal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Rotate(path); err != nil {
		t.Fatal(err)
	}
	if box.KeyID() == before {
		t.Fatal("the primary key did not change")
	}
	fresh := mustSeal(t, box, "t", "1", "c")
	reread, err := seal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*seal.Box{box, reread} {
		for _, sealed := range [][]byte{old, fresh} {
			if opened, err := b.Open(sealed, "t", "1", "c"); err != nil || string(opened) != plain {
				t.Errorf("%q, %v", opened, err)
			}
		}
	}
	if _, err := outdated.Open(fresh, "t", "1", "c"); err == nil || !strings.Contains(err.Error(), "bring back the keyset") {
		t.Errorf("a keyset without the new key: %v", err)
	}
}

func TestAKeyIsRetiredButNeverTheOneThatSeals(t *testing.T) {
	box, path := newBox(t)
	before, old := box.KeyID(), mustSeal(t, box, "t", "1", "c")
	if err := box.Rotate(path); err != nil {
		t.Fatal(err)
	}
	fresh := mustSeal(t, box, "t", "1", "c")
	if id, ok := seal.KeyOf(fresh); !ok || id != box.KeyID() || !bytes.HasPrefix(fresh, box.Prefix()) || len(box.Prefix()) != seal.PrefixSize {
		t.Errorf("key %d of a value that %d has sealed", id, box.KeyID())
	}
	if err := box.Retire(path, box.KeyID()); err == nil {
		t.Error("the key that seals was removed")
	}
	if err := box.Retire(path, before+1); err == nil {
		t.Error("a key that is not there was removed")
	}
	if err := box.Retire(path, before); err != nil {
		t.Fatal(err)
	}
	reread, err := seal.Open(path)
	if err != nil || len(reread.Keys()) != 1 || reread.KeyID() != box.KeyID() {
		t.Fatalf("%v, %v", reread, err)
	}
	if _, err := reread.Open(old, "t", "1", "c"); err == nil {
		t.Error("what the removed key has sealed opens")
	}
	if _, err := reread.Open(fresh, "t", "1", "c"); err != nil {
		t.Error(err)
	}
}
