package assets_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/web/assets"
)

func get(method, path, accepts string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, nil)
	req.Header.Set("Accept-Encoding", accepts)
	w := httptest.NewRecorder()
	assets.Serve(w, req)
	return w
}

// An address changes with its content, so what it answers may be kept for ever.
func TestAnAssetIsServedPlainAndPackedAndKept(t *testing.T) {
	t.Parallel()
	url := assets.URL("evergrant.css")
	if !strings.HasPrefix(url, assets.Prefix+"evergrant.") || !strings.HasSuffix(url, ".css") || url == assets.Prefix+"evergrant.css" {
		t.Errorf("its address is %s", url)
	}
	plain, packed := get(http.MethodGet, url, ""), get(http.MethodGet, url, "gzip, br")
	if h := plain.Header(); plain.Code != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), "text/css") || !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Vary") != "Accept-Encoding" {
		t.Errorf("%d %v", plain.Code, h)
	}
	reader, err := gzip.NewReader(packed.Body)
	if err != nil || packed.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal(err, packed.Header())
	}
	if unpacked, err := io.ReadAll(reader); err != nil || !bytes.Equal(unpacked, plain.Body.Bytes()) || len(unpacked) == 0 {
		t.Errorf("packed and plain differ: %v", err)
	}
	if head := get(http.MethodHead, url, ""); head.Code != http.StatusOK || head.Body.Len() != 0 {
		t.Errorf("HEAD: %d, %d bytes", head.Code, head.Body.Len())
	}
	for _, path := range []string{assets.Prefix, assets.Prefix + "evergrant.css", assets.Prefix + "../assets.go"} {
		if w := get(http.MethodGet, path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestAnIconIsTheDrawingAlone(t *testing.T) {
	t.Parallel()
	for range 2 { // the second one is kept
		if icon := assets.Icon("trash"); !strings.HasPrefix(icon, "<path") || strings.Contains(icon, "svg") || strings.Contains(icon, "\n") {
			t.Errorf("%q", icon)
		}
	}
}

// A page that names what is not there is noticed the first time that it is rendered.
func TestWhatIsNotVendoredIsAMistakeOfThePage(t *testing.T) {
	t.Parallel()
	for what, ask := range map[string]func(){"asset": func() { assets.URL("none.css") }, "icon": func() { assets.Icon("none") }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no such %s, and nobody notices", what)
				}
			}()
			ask()
		}()
	}
}
