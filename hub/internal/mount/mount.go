// Package mount serves the hub under a path of its public address, such as
// https://host/evergrant. The hub itself knows no such path: its routes, links, redirects
// and cookies begin at "/". Under takes the path off what comes in and puts it before
// every address that goes out, at this one place, so that no page can forget it:
//
//   - the Location and htmx headers of redirects,
//   - the Path of cookies, so that other programs at the host do not get them,
//   - the addresses in the attributes of pages (see page.go).
//
// Absolute addresses (messages, callbacks, OpenAPI) are made of public_url and have the
// path by themselves. What scripts get as JSON is the pages' own matter.
package mount

import (
	"net/http"
	"net/url"
	"strings"
)

// Path is the path of a hub's public address, without a slash at its end; "" at the root.
func Path(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

// Under serves a hub under a path. Requests may come with it, or without if the proxy
// takes it off, as those for /healthz and /metrics do that come past the proxy.
func Under(path string, hub http.Handler) http.Handler {
	if path == "" {
		return hub
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &answer{ResponseWriter: w, path: path, bare: r.Method == http.MethodHead}
		hub.ServeHTTP(out, without(path, r))
		out.finish()
	})
}

// without is a request as the hub knows it.
func without(path string, r *http.Request) *http.Request {
	u := *r.URL
	u.Path = cut(u.Path, path)
	if u.RawPath != "" {
		u.RawPath = cut(u.RawPath, path)
		if (u.RawPath == r.URL.RawPath) != (u.Path == r.URL.Path) {
			u = *r.URL // the path itself is encoded: no address of the hub
		}
	}
	inner := *r
	inner.URL = &u
	// The router would put it before the addresses that it redirects to.
	inner.Header = r.Header.Clone()
	inner.Header.Del("X-Forwarded-Prefix")
	return &inner
}

func cut(whole, path string) string {
	switch rest, has := strings.CutPrefix(whole, path); {
	case has && rest == "":
		return "/"
	case has && rest[0] == '/':
		return rest
	default:
		return whole
	}
}

// Take reports the first of a hub's routes that a path hides: one that begins with the
// same part. A request that came without the path could then be taken for another one.
func Take(path string, routes []string) (route string, taken bool) {
	first := func(s string) string {
		part, _, _ := strings.Cut(strings.TrimPrefix(s, "/"), "/")
		return part
	}
	for _, r := range routes {
		if path != "" && first(r) == first(path) {
			return r, true
		}
	}
	return "", false
}
