package pluginpack_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aead.dev/minisign"

	"github.com/evergrant/evergrant/hub/internal/pluginpack"
)

// program is the smallest file that is a program for this machine.
func program(t *testing.T) []byte {
	t.Helper()
	machine, ok := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[runtime.GOARCH]
	if !ok || runtime.GOOS != "linux" {
		t.Skipf("the test has no program for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	var out bytes.Buffer
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS], header.Ident[elf.EI_DATA], header.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	if err := binary.Write(&out, binary.LittleEndian, header); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), bytes.Repeat([]byte("program "), 100)...)
}

func manifest() pluginpack.Manifest {
	return pluginpack.Manifest{
		Name: "acme", Version: "1.2.3", OS: runtime.GOOS, Arch: runtime.GOARCH, Protocols: []int{1}, Entry: "evergrant-provider-acme",
		Providers: []pluginpack.Provider{{Name: "acme", Hosts: []string{"*.acme.example"}}},
	}
}

func packed(t *testing.T, m pluginpack.Manifest) []byte {
	t.Helper()
	var out bytes.Buffer
	files := fstest.MapFS{"evergrant-provider-acme": {Data: program(t), Mode: 0o755}, "docs/readme.txt": {Data: []byte("hello")}}
	if _, err := pluginpack.Write(&out, m, files); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unpack expects that a refused package leaves nothing behind.
func unpack(t *testing.T, data []byte) (*pluginpack.Package, error) {
	t.Helper()
	parent := t.TempDir()
	p, err := pluginpack.Unpack(bytes.NewReader(data), parent)
	if err != nil {
		left, readErr := os.ReadDir(parent)
		if readErr != nil || len(left) != 0 {
			t.Errorf("%d files were left by a refused package (%v)", len(left), readErr)
		}
	}
	return p, err
}

func TestAPackageComesOutAsItWentIn(t *testing.T) {
	p, err := unpack(t, packed(t, manifest()))
	if err != nil {
		t.Fatal(err)
	}
	if p.Manifest.Name != "acme" || len(p.Manifest.Files) != 2 || len(p.Sum) != 64 || p.Signature != nil {
		t.Errorf("%+v", p)
	}
	for name, want := range map[string]os.FileMode{"evergrant-provider-acme": 0o555, "docs/readme.txt": 0o444} {
		info, err := os.Stat(filepath.Join(p.Dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if !bytes.Equal(packed(t, manifest()), packed(t, manifest())) {
		t.Error("packing twice gives different bytes")
	}
}

// entry is an archive's entry as an attacker writes it.
type entry struct {
	tar.Header
	data []byte
}

func archive(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, e := range entries {
		if e.Typeflag == 0 {
			e.Typeflag = tar.TypeReg
		}
		if e.Size == 0 {
			e.Size = int64(len(e.data))
		}
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if e.Typeflag == tar.TypeReg {
			if _, err := w.Write(e.data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// taken are the entries of a good package.
func taken(t *testing.T, data []byte) []entry {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(zipped)
	var entries []entry
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry{Header: *header, data: content})
	}
}

func with(t *testing.T, change func(*pluginpack.Manifest)) []byte {
	t.Helper()
	entries := taken(t, packed(t, manifest()))
	var m pluginpack.Manifest
	if err := json.Unmarshal(entries[0].data, &m); err != nil {
		t.Fatal(err)
	}
	change(&m)
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	entries[0] = entry{Header: tar.Header{Name: entries[0].Name, Mode: 0o644}, data: data}
	return archive(t, entries...)
}

func TestHostilePackagesAreRefusedAndLeaveNothing(t *testing.T) {
	good := taken(t, packed(t, manifest()))
	add := func(e entry) []byte { return archive(t, append(append([]entry{}, good...), e)...) }
	otherOS := "darwin"
	for name, test := range map[string]struct {
		data []byte
		says string
	}{
		"no archive":        {[]byte("hello"), "no .evergrant-plugin file"},
		"cut":               {packed(t, manifest())[:300], "damaged"},
		"empty":             {archive(t), "first entry"},
		"path outside":      {add(entry{Header: tar.Header{Name: "../evil", Mode: 0o644}, data: []byte("x")}), "not listed"},
		"symlink":           {add(entry{Header: tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}}), "no plain file"},
		"hard link":         {add(entry{Header: tar.Header{Name: "link", Typeflag: tar.TypeLink, Linkname: "manifest.json"}}), "no plain file"},
		"device":            {add(entry{Header: tar.Header{Name: "dev", Typeflag: tar.TypeChar}}), "no plain file"},
		"setuid":            {add(entry{Header: tar.Header{Name: "su", Mode: 0o4755}, data: []byte("x")}), "other rights"},
		"unlisted file":     {add(entry{Header: tar.Header{Name: "extra", Mode: 0o644}, data: []byte("x")}), "not listed"},
		"same file twice":   {add(good[len(good)-1]), "twice"},
		"missing file":      {archive(t, good[:len(good)-1]...), "not in it"},
		"changed file":      {archive(t, good[0], entry{Header: good[1].Header, data: bytes.Repeat([]byte("x"), len(good[1].data))}, good[2]), "not the file"},
		"manifest twice":    {add(good[0]), "twice"},
		"listed outside":    {with(t, func(m *pluginpack.Manifest) { m.Files[0].Path = "../evil" }), "not a plain path"},
		"listed absolute":   {with(t, func(m *pluginpack.Manifest) { m.Files[0].Path = "/etc/evil" }), "not a plain path"},
		"bomb":              {with(t, func(m *pluginpack.Manifest) { m.Files[0].Size = pluginpack.MaxUnpacked + 1 }), "impossible size"},
		"bombs together":    {with(t, func(m *pluginpack.Manifest) { m.Files[0].Size, m.Files[1].Size = pluginpack.MaxUnpacked, 1 }), "at most"},
		"longer than said":  {with(t, func(m *pluginpack.Manifest) { m.Files[0].Size-- }), "another size"},
		"other system":      {with(t, func(m *pluginpack.Manifest) { m.OS = otherOS }), "is for linux"},
		"other processor":   {with(t, func(m *pluginpack.Manifest) { m.Arch = "s390x" }), "is for linux"},
		"entry not listed":  {with(t, func(m *pluginpack.Manifest) { m.Entry = "other" }), "not among the files"},
		"entry no program":  {with(t, func(m *pluginpack.Manifest) { m.Entry = "docs/readme.txt" }), "no program"},
		"unknown schema":    {with(t, func(m *pluginpack.Manifest) { m.Schema = 9 }), "schema is 9"},
		"name with slashes": {with(t, func(m *pluginpack.Manifest) { m.Name = "../x" }), "small letters"},
		"version no number": {with(t, func(m *pluginpack.Manifest) { m.Version = "latest" }), "version must be"},
		"no protocol":       {with(t, func(m *pluginpack.Manifest) { m.Protocols = nil }), "protocols"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := unpack(t, test.data)
			refused, ok := errors.AsType[*pluginpack.RefusedError](err)
			if !ok || !strings.Contains(refused.Reason, test.says) {
				t.Errorf("got %v, want a refusal that says %q", err, test.says)
			}
		})
	}
}

func newKey(t *testing.T, title string) (pluginpack.Key, minisign.PrivateKey) {
	t.Helper()
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	key, err := pluginpack.ReadKey(title, string(text))
	if err != nil {
		t.Fatal(err)
	}
	return key, private
}

func signed(t *testing.T, data []byte, private minisign.PrivateKey) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := pluginpack.Sign(&out, bytes.NewReader(data), private, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestOnlyATrustedSignatureOfThisVeryPackageCounts(t *testing.T) {
	acme, private := newKey(t, "Acme")
	other, otherPrivate := newKey(t, "Other")
	revoked := acme
	revoked.RevokedAt = time.Now()
	original := signed(t, packed(t, manifest()), private)
	newer := manifest()
	newer.Version = "1.2.4"
	swapped := taken(t, signed(t, packed(t, newer), private))
	swapped[1] = taken(t, original)[1] // the signature of 1.2.3 on 1.2.4
	for name, test := range map[string]struct {
		data []byte
		keys []pluginpack.Key
		says string
	}{
		"trusted":           {original, []pluginpack.Key{other, acme}, ""},
		"signed again":      {signed(t, original, otherPrivate), []pluginpack.Key{other}, ""},
		"not signed":        {packed(t, manifest()), []pluginpack.Key{acme}, "not signed"},
		"unknown key":       {original, []pluginpack.Key{other}, "nobody here trusts"},
		"revoked key":       {original, []pluginpack.Key{revoked}, "not trusted any more"},
		"another version's": {archive(t, swapped...), []pluginpack.Key{acme}, "does not fit"},
		"key that lies":     {original, []pluginpack.Key{{ID: acme.ID, Title: "Liar", Public: other.Public}}, "does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := unpack(t, test.data)
			if err != nil {
				t.Fatal(err)
			}
			key, err := pluginpack.Judge(p, test.keys)
			if test.says == "" {
				if err != nil || key.ID != p.Signature.KeyID {
					t.Errorf("key %s, %v", key.ID, err)
				}
				return
			}
			refused, ok := errors.AsType[*pluginpack.RefusedError](err)
			if !ok || !strings.Contains(refused.Reason, test.says) {
				t.Errorf("got %v, want a refusal that says %q", err, test.says)
			}
		})
	}
}

func TestAPrivateKeyIsReadAsMinisignWritesIt(t *testing.T) {
	_, private := newKey(t, "Acme")
	plain, err := private.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if read, err := pluginpack.ReadPrivateKey(plain, nil); err != nil || !read.Equal(private) {
		t.Errorf("a key without a password: %v", err)
	}
	if _, err := pluginpack.ReadPrivateKey([]byte("untrusted comment: x\nnonsense"), nil); err == nil {
		t.Error("nonsense was read as a key")
	}
}
