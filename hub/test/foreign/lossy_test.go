package foreign

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// lossyWay leads to a server, and can lose the reply to a renewal that the server has
// carried out.
type lossyWay struct {
	*httptest.Server

	mu    sync.Mutex
	loses bool
	sent  []string // the refresh tokens of renewals
}

func newLossyWay(t *testing.T, address string) *lossyWay {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	w := &lossyWay{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ModifyResponse: func(*http.Response) error {
			if w.takeLoss() {
				return errors.New("lost")
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if form, err := url.ParseQuery(string(body)); err == nil && form.Get("grant_type") == "refresh_token" {
			w.mu.Lock()
			w.sent = append(w.sent, form.Get("refresh_token"))
			w.mu.Unlock()
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	return w
}

// loseNext loses the next reply.
func (w *lossyWay) loseNext() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loses = true
}

func (w *lossyWay) takeLoss() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	lost := w.loses
	w.loses = false
	return lost
}

// refreshed are the refresh tokens that were sent, the first first.
func (w *lossyWay) refreshed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}
