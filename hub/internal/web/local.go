package web

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// homePage replaces a target that is not an address of the hub.
const homePage = "/"

// mostTarget bounds the address of a redirect; the longest of a list with filters is far
// below it.
const mostTarget = 4 << 10

// localPath judges every address of the hub itself that a browser is led to, whether it
// came with a form, a query, a session or from this program: it returns the address, or
// the home page for one that a browser, a proxy or a router behind it might read as an
// address elsewhere. A browser drops tabs and line breaks and takes a backslash for a
// slash, a proxy may undo percent-encoding once more, so an address must be unambiguous in each
// of these readings.
func localPath(target string) string {
	if !isLocal(target) {
		return homePage
	}
	return target
}

// isLocal reports whether a target is a plain path of the hub, with a query or a fragment.
func isLocal(target string) bool {
	if len(target) > mostTarget || !strings.HasPrefix(target, "/") || strings.ContainsFunc(target, unprintable) {
		return false
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	path, _, _ := strings.Cut(target, "#")
	path, _, _ = strings.Cut(path, "?")
	return isPlainPath(path)
}

// unprintable are the characters that no encoded address has.
func unprintable(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }

// decodings bounds how often percent-encoding is undone: an address that is encoded more
// often is refused.
const decodings = 4

// isPlainPath reports whether a path stays what it is however often it is decoded.
func isPlainPath(path string) bool {
	for range decodings {
		if !isPlain(path) {
			return false
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path {
			return true // what cannot be decoded further is read as it is
		}
		path = decoded
	}
	return false
}

// isPlain judges one reading of a path.
func isPlain(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsFunc(path, looksElsewhere) {
		return false
	}
	return !slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool { return part == "." || part == ".." })
}

// looksElsewhere are characters that a browser drops, or that are or look like a slash.
func looksElsewhere(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Z, r) && r != ' ' ||
		strings.ContainsRune("\\\uFFFD\u2044\u2215\u2216\u29F5\u29F8\u29F9\uFE68\uFF0F\uFF3C", r)
}
