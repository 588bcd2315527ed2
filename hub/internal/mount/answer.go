package mount

import (
	"bytes"
	"net/http"
	"strings"
)

// answer puts the path before the addresses of an answer. A page is kept until it is
// whole; everything else goes through as it is written, streams as well.
type answer struct {
	http.ResponseWriter
	path string
	// bare is an answer without a body, to HEAD.
	bare  bool
	begun bool
	// page is what was written of a page, with the status that it gets; nil for others.
	page   *bytes.Buffer
	status int
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.begun || status < http.StatusOK { // more may follow those below 200
		a.ResponseWriter.WriteHeader(status)
		return
	}
	a.begun = true
	h := a.Header()
	lead(h, a.path)
	if !a.bare && strings.HasPrefix(h.Get("Content-Type"), "text/html") && h.Get("Content-Encoding") == "" {
		a.page, a.status = new(bytes.Buffer), status
		return
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(data []byte) (int, error) {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	if a.page != nil {
		return a.page.Write(data)
	}
	return a.ResponseWriter.Write(data)
}

// Flush implements http.Flusher. A page cannot be flushed before it is whole.
func (a *answer) Flush() {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	if a.page == nil {
		_ = http.NewResponseController(a.ResponseWriter).Flush() // as net/http does
	}
}

// finish writes the page. A request whose handler panicked has none.
func (a *answer) finish() {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	if a.page == nil {
		return
	}
	a.Header().Del("Content-Length")
	a.ResponseWriter.WriteHeader(a.status)
	_, _ = a.ResponseWriter.Write(inPage(a.page.Bytes(), a.path)) // the client may be gone
}

// leading are the headers that name an address to go to.
var leading = []string{"Location", "Content-Location", "Hx-Redirect", "Hx-Location", "Hx-Push-Url", "Hx-Replace-Url"}

// lead puts the path before the addresses in the headers of an answer.
func lead(h http.Header, path string) {
	for _, name := range leading {
		if target := h.Get(name); isRooted(target) {
			h.Set(name, path+target)
		}
	}
	for i, cookie := range h["Set-Cookie"] {
		parts := strings.Split(cookie, "; ")
		for j, part := range parts {
			if of, isPath := strings.CutPrefix(part, "Path=/"); isPath {
				parts[j] = "Path=" + strings.TrimSuffix(path+"/"+of, "/")
			}
		}
		h["Set-Cookie"][i] = strings.Join(parts, "; ")
	}
}

// isRooted reports whether an address begins at the root of its host.
func isRooted(address string) bool {
	return strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//")
}
