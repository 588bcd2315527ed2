package pluginpack

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Write packs every file of files. m comes without Schema and Files, which are
// made here. The same input gives the same bytes: no times, no owners.
func Write(w io.Writer, m Manifest, files fs.FS) (*Manifest, error) {
	m.Schema, m.Files = Schema, nil
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("pack %s: only plain files can be packed", name)
		}
		f, err := measure(files, name)
		m.Files = append(m.Files, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if err := m.Check(); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", m.Name, err)
	}
	return &m, writeArchive(w, data, nil, m, files)
}

func measure(files fs.FS, name string) (File, error) {
	f, err := files.Open(name)
	if err != nil {
		return File{}, fmt.Errorf("pack %s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return File{}, fmt.Errorf("pack %s: %w", name, err)
	}
	return File{Path: name, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// writeArchive writes manifest, signature (if any) and files in this order, so that a
// reader has the list of files before the first one.
func writeArchive(w io.Writer, manifest, signature []byte, m Manifest, files fs.FS) error {
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	put := func(name string, mode, size int64, from io.Reader) error {
		header := &tar.Header{Name: name, Mode: mode, Size: size, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := io.Copy(archive, from); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
		return nil
	}
	if err := put(manifestName, 0o644, int64(len(manifest)), strings.NewReader(string(manifest))); err != nil {
		return err
	}
	if signature != nil {
		if err := put(signatureName, 0o644, int64(len(signature)), strings.NewReader(string(signature))); err != nil {
			return err
		}
	}
	for _, f := range m.Files {
		mode := int64(0o444)
		if f.Path == m.Entry {
			mode = 0o555
		}
		from, err := files.Open(f.Path)
		if err != nil {
			return fmt.Errorf("pack %s: %w", f.Path, err)
		}
		err = put(f.Path, mode, f.Size, from)
		_ = from.Close()
		if err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("pack %s: %w", m.Name, err)
	}
	return zipped.Close()
}
