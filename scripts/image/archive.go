package main

import (
	"archive/tar"
	"bytes"
	"maps"
	"slices"
	"time"
)

// archive is a tar file of files by name, in the order of names. Memory does not fail.
func archive(files map[string][]byte, at time.Time) []byte {
	var out bytes.Buffer
	to := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_ = to.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), ModTime: at, Format: tar.FormatUSTAR})
		_, _ = to.Write(files[name])
	}
	_ = to.Close()
	return out.Bytes()
}
