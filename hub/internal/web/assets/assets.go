// Package assets holds what browsers load: stylesheets, scripts, icons. All of
// it is compiled in. An address carries the hash of its content, so browsers may
// keep it for ever and a new version has a new address.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
)

//go:embed evergrant.css evergrant.js passkeys.js theme.js logo.svg vendor
var files embed.FS

// Prefix is the path under which Serve answers.
const Prefix = "/assets/"

type file struct {
	contentType    string
	plain, gzipped []byte
}

type index struct {
	urls  map[string]string // by name in this folder
	files map[string]file   // by URL
}

// served are the files that pages ask for; icons are inlined instead.
var served = []string{"evergrant.css", "evergrant.js", "passkeys.js", "theme.js", "logo.svg", "vendor/tabler.min.css", "vendor/htmx.min.js"}

var all = sync.OnceValue(func() index {
	x := index{urls: map[string]string{}, files: map[string]file{}}
	for _, name := range served {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			panic("an embedded file is missing: " + name)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(name)
		url := Prefix + strings.TrimSuffix(path.Base(name), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		x.urls[name] = url
		x.files[url] = file{contentType: mime.TypeByExtension(ext), plain: content, gzipped: compress(content)}
	}
	return x
})

func compress(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is right
	_, _ = w.Write(content)                               // memory does not fail
	_ = w.Close()
	return b.Bytes()
}

// URL is the address of a file, for example "evergrant.css". It panics for a name
// that is not served, which rendering any page would show.
func URL(name string) string {
	url, ok := all().urls[name]
	if !ok {
		panic("no such asset: " + name)
	}
	return url
}

// Serve answers GET and HEAD of an asset; everything else is not found.
func Serve(w http.ResponseWriter, r *http.Request) {
	f, ok := all().files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	content := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		content = f.gzipped
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(content)
	}
}

var (
	outside   = regexp.MustCompile(`(?s)^.*?<svg[^>]*>|</svg>\s*$`)
	invisible = regexp.MustCompile(`<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>`)
)

var icons sync.Map // name to drawing

// Icon is the drawing of a vendored icon: what is inside of its svg element, on
// a field of 24 by 24. It panics for a name that is not vendored.
func Icon(name string) string {
	if drawing, ok := icons.Load(name); ok {
		return drawing.(string) //nolint:errcheck,forcetypeassert // only strings are stored
	}
	content, err := files.ReadFile("vendor/icons/" + name + ".svg")
	if err != nil {
		panic("no such icon: " + name + "; add it to scripts/vendor-assets.sh")
	}
	drawing := invisible.ReplaceAllString(outside.ReplaceAllString(string(content), ""), "")
	drawing = strings.Join(strings.Fields(drawing), " ")
	icons.Store(name, drawing)
	return drawing
}
