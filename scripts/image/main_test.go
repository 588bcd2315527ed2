package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// made makes an image of a small root and returns the file.
func made(t *testing.T) []byte {
	t.Helper()
	root := t.TempDir()
	for _, folder := range []string{"usr/local/bin", "var/lib/evergrant", "run/evergrant"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "usr/local/bin/evergrant"), []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	o := options{root: root, out: filepath.Join(t.TempDir(), "image.tar"), arch: "arm64", version: "v1.2.3", created: time.Unix(1_700_000_000, 0)}
	if err := write(o); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(o.out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func unpack(t *testing.T, from io.Reader) (files map[string][]byte, headers map[string]*tar.Header) {
	t.Helper()
	files, headers = map[string][]byte{}, map[string]*tar.Header{}
	for r := tar.NewReader(from); ; {
		h, err := r.Next()
		if err == io.EOF { //nolint:errorlint // tar returns it as it is
			return files, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		headers[h.Name] = h
	}
}

// Each part is found by the sum of its content, as registries and engines look for it.
func TestAnImageIsWholeAndRunsAsNobodyElse(t *testing.T) {
	files, _ := unpack(t, bytes.NewReader(made(t)))
	blob := func(digest string, into any) []byte {
		data := files["blobs/sha256/"+digest[len("sha256:"):]]
		sum := sha256.Sum256(data)
		if "sha256:"+hex.EncodeToString(sum[:]) != digest {
			t.Fatalf("%s is not what its name says", digest)
		}
		if into != nil {
			if err := json.Unmarshal(data, into); err != nil {
				t.Fatal(err)
			}
		}
		return data
	}
	var index struct{ Manifests []descriptor }
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	var config struct {
		Architecture string
		Config       struct {
			User       string
			Entrypoint []string
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if err := json.Unmarshal(files["index.json"], &index); err != nil {
		t.Fatal(err)
	}
	blob(index.Manifests[0].Digest, &manifest)
	blob(manifest.Config.Digest, &config)
	if config.Config.User != "65532:65532" || config.Architecture != "arm64" || config.Config.Entrypoint[0] != "/usr/local/bin/evergrant" {
		t.Errorf("%+v", config)
	}
	gz, err := gzip.NewReader(bytes.NewReader(blob(manifest.Layers[0].Digest, nil)))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(layer); config.RootFS.DiffIDs[0] != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Error("the layer is not the one that the configuration names")
	}
	_, headers := unpack(t, bytes.NewReader(layer))
	if h := headers["usr/local/bin/evergrant"]; h == nil || h.Uid != 0 || h.Mode&0o777 != 0o755 {
		t.Errorf("the program: %+v", h)
	}
	if h := headers["var/lib/evergrant/"]; h == nil || h.Uid != user {
		t.Errorf("the folder of data: %+v", h)
	}
}

func TestTwoImagesOfOneRootAreTheSame(t *testing.T) {
	if !bytes.Equal(made(t), made(t)) {
		t.Error("they differ")
	}
}
