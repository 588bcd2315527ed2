package pluginpack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// sample is a good package for this machine's kind, with a script for its entry.
func sample(f *testing.F) []byte {
	f.Helper()
	var out bytes.Buffer
	m := Manifest{
		Name: "acme", Version: "1.2.3", OS: "linux", Arch: "amd64", Protocols: []int{1}, Entry: "evergrant-provider-acme",
		Providers: []Provider{{Name: "acme", Hosts: []string{"*.acme.example"}}},
	}
	if _, err := Write(&out, m, fstest.MapFS{m.Entry: {Data: []byte("#!/bin/sh\n"), Mode: 0o755}, "docs/a.txt": {Data: []byte("a")}}); err != nil {
		f.Fatal(err)
	}
	return out.Bytes()
}

// archive packs entries as whoever forges a package would.
func archive(f *testing.F, entries ...tar.Header) []byte {
	f.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, e := range entries {
		e.Mode, e.Size = 0o644, 2
		if e.Typeflag != 0 && e.Typeflag != tar.TypeReg {
			e.Size = 0
		}
		if err := w.WriteHeader(&e); err != nil {
			f.Fatal(err)
		}
		if e.Size > 0 {
			_, _ = w.Write([]byte("{}")) // a buffer
		}
	}
	_, _ = w.Close(), zipped.Close() // a buffer
	return out.Bytes()
}

// FuzzPackage unpacks whatever is handed in: what is refused leaves nothing behind, and
// what is taken lies in its folder alone, as plain files that the manifest lists.
func FuzzPackage(f *testing.F) {
	good := sample(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("\x1f\x8b"))
	for _, name := range []string{"../evil", "/etc/evil", "a/../../evil", "manifest.json", `..\evil`, "a\x00b"} {
		f.Add(archive(f, tar.Header{Name: manifestName}, tar.Header{Name: strings.ReplaceAll(name, "\x00", "?")}))
	}
	f.Add(archive(f, tar.Header{Name: manifestName}, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "/etc"}))
	f.Add(archive(f, tar.Header{Name: manifestName}, tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "../b"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return // bombs have a test of their own
		}
		outer := t.TempDir()
		parent := filepath.Join(outer, "installed")
		if err := os.Mkdir(parent, 0o700); err != nil {
			t.Fatal(err)
		}
		p, err := Unpack(bytes.NewReader(data), parent)
		if err != nil {
			p = nil
		}
		checkUnpacked(t, outer, p)
	})
}

// checkUnpacked looks at everything that there is after a package was unpacked.
func checkUnpacked(t *testing.T, outer string, p *Package) {
	t.Helper()
	err := filepath.WalkDir(outer, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == outer || filepath.Dir(path) == outer):
		case p == nil:
			t.Errorf("a package that was refused left %s", path)
		case !strings.HasPrefix(path, p.Dir):
			t.Errorf("%s lies outside the package's folder", path)
		case !entry.IsDir() && !entry.Type().IsRegular():
			t.Errorf("%s is no plain file", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if p != nil && p.Manifest.Check() != nil {
		t.Errorf("a package with a bad manifest was taken: %v", p.Manifest.Check())
	}
}

// FuzzManifest reads a manifest: what is taken is good, and names nothing outside of its
// folder.
func FuzzManifest(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"schema":1}`, `null`, `[]`, `{"schema":1,"name":"acme","version":"1.2.3","os":"linux","arch":"amd64","protocols":[1],"entry":"evergrant-provider-acme","files":[{"path":"evergrant-provider-acme","size":1,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}],"providers":[{"name":"acme","hosts":["*.acme.example"]}]}`,
		`{"schema":1,"files":[{"path":"../a","size":-1}]}`, `{"schema":1,"name":"../a"}`, `{"schema":1,"schema":2}`, `{"sandbox":{"memory":"9999999999999999"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := readManifest(data)
		if err != nil {
			return
		}
		if err := m.Check(); err != nil {
			t.Errorf("%q was taken: %v", data, err)
		}
		for _, file := range append(m.Files, File{Path: m.Entry}) {
			if !filepath.IsLocal(filepath.FromSlash(file.Path)) || file.Size < 0 || strings.ContainsAny(file.Path, "\x00\\\n\r") {
				t.Errorf("%q holds the file %q of %d bytes", data, file.Path, file.Size)
			}
		}
		if strings.ContainsAny(m.Name+m.Version+m.OS+m.Arch, "/\\\x00\n\r ") {
			t.Errorf("%q has a name that is none: %q %q", data, m.Name, m.Version)
		}
	})
}
