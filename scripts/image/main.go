// Command image writes an OCI image layout of one layer from a folder, as a tar file:
// scripts/image.sh calls it. Two images of the same folder are the same, byte for byte.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// user is who the hub runs as; it owns what the hub writes.
const user = 65532

// owned are the folders that the hub writes.
var owned = []string{"var/lib/evergrant", "run/evergrant"}

type options struct {
	root, out, arch, version string
	created                  time.Time
}

func main() {
	var o options
	created := flag.Int64("created", 0, "time of the image, Unix seconds")
	flag.StringVar(&o.root, "root", "", "folder of the root filesystem")
	flag.StringVar(&o.out, "out", "", "tar file to write")
	flag.StringVar(&o.arch, "arch", "", "amd64 or arm64")
	flag.StringVar(&o.version, "version", "", "version of the hub")
	flag.Parse()
	o.created = time.Unix(*created, 0).UTC()
	if err := write(o); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// descriptor names a part of the image by its content.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    map[string]string `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

const mediaTypes = "application/vnd.oci.image."

// write makes layer, configuration, manifest and index, each of which names the one before.
func write(o options) error {
	layer, unpacked, err := layerOf(o.root, o.created)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	keep := func(kind string, content any) (descriptor, error) {
		data, isRaw := content.([]byte)
		if !isRaw {
			var err error
			if data, err = json.Marshal(content); err != nil {
				return descriptor{}, err
			}
		}
		sum := sha256.Sum256(data)
		files["blobs/sha256/"+hex.EncodeToString(sum[:])] = data
		return descriptor{MediaType: mediaTypes + kind, Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: len(data)}, nil
	}
	ofLayer, err := keep("layer.v1.tar+gzip", layer)
	if err != nil {
		return err
	}
	ofConfig, err := keep("config.v1+json", config(o, unpacked))
	if err != nil {
		return err
	}
	manifest, err := keep("manifest.v1+json", map[string]any{
		"schemaVersion": 2, "mediaType": mediaTypes + "manifest.v1+json", "config": ofConfig, "layers": []descriptor{ofLayer},
	})
	if err != nil {
		return err
	}
	manifest.Platform = map[string]string{"os": "linux", "architecture": o.arch}
	manifest.Annotations = map[string]string{"org.opencontainers.image.ref.name": "latest", "io.containerd.image.name": "localhost/evergrant:latest"}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": mediaTypes + "index.v1+json", "manifests": []descriptor{manifest}})
	if err != nil {
		return err
	}
	files["index.json"], files["oci-layout"] = index, []byte(`{"imageLayoutVersion":"1.0.0"}`)
	if err := os.WriteFile(o.out, archive(files, o.created), 0o644); err != nil { //nolint:gosec // an image is for everybody
		return err
	}
	fmt.Printf("image: %s, %s, %d MiB, manifest %s\n", o.out, o.version, len(layer)>>20, manifest.Digest)
	return nil
}

// config is how the image is run: no user but the hub's, nothing that it may not do
// without a root that can be written.
func config(o options, unpacked string) any {
	return map[string]any{
		"created": o.created.Format(time.RFC3339), "architecture": o.arch, "os": "linux",
		"config": map[string]any{
			"User": fmt.Sprintf("%d:%d", user, user), "WorkingDir": "/var/lib/evergrant",
			"Entrypoint": []string{"/usr/local/bin/evergrant"}, "Cmd": []string{"serve"},
			"Env":          []string{"PATH=/usr/local/bin", "EVERGRANT_CONFIG=/etc/evergrant/evergrant.yaml"},
			"ExposedPorts": map[string]any{"8080/tcp": struct{}{}}, "Volumes": map[string]any{"/var/lib/evergrant": struct{}{}},
			"StopSignal": "SIGTERM",
			"Labels": map[string]string{
				"org.opencontainers.image.title": "Evergrant", "org.opencontainers.image.version": o.version,
				"org.opencontainers.image.source": "https://github.com/evergrant/evergrant", "org.opencontainers.image.licenses": "Apache-2.0",
			},
		},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{unpacked}},
		"history": []map[string]any{{"created": o.created.Format(time.RFC3339), "created_by": "scripts/image.sh"}},
	}
}

// layerOf packs a folder, and names its content before it was compressed.
func layerOf(root string, at time.Time) (layer []byte, unpacked string, err error) {
	var packed bytes.Buffer
	sum := sha256.New()
	gz, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, "", err
	}
	to := tar.NewWriter(io.MultiWriter(gz, sum))
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		return add(to, root, path, entry, at)
	})
	for _, closer := range []io.Closer{to, gz} {
		if err == nil {
			err = closer.Close()
		}
	}
	return packed.Bytes(), "sha256:" + hex.EncodeToString(sum.Sum(nil)), err
}

func add(to *tar.Writer, root, path string, entry fs.DirEntry, at time.Time) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	header, err := tar.FileInfoHeader(info, "")
	if err != nil {
		return err
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	header.Name, header.ModTime, header.Format = filepath.ToSlash(name), at, tar.FormatUSTAR
	header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "", ""
	header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
	for _, folder := range owned {
		if header.Name == folder {
			header.Uid, header.Gid = user, user
		}
	}
	if info.IsDir() {
		header.Name = strings.TrimSuffix(header.Name, "/") + "/"
	}
	if err := to.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	content, err := os.ReadFile(path)
	if err == nil {
		_, err = to.Write(content)
	}
	return err
}
