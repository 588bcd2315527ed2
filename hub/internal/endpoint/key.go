package endpoint

import (
	"net/url"
	"strings"
)

// Key names an endpoint. It holds no query, so no secret.
type Key string

// KeyOf makes the key of an address: scheme, host and path. Ports that the scheme
// implies are left out.
func KeyOf(u *url.URL) Key {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return Key(scheme + "://" + host + path)
}

// Host is the host of the key, with its port if it has one.
func (k Key) Host() string {
	_, rest, _ := strings.Cut(string(k), "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// unlearned is the key of a service whose endpoint is not known yet.
func unlearned(serviceID string) Key { return Key("service:///" + serviceID) }

func (k Key) isUnlearned() bool { return strings.HasPrefix(string(k), "service:///") }
