package provider

import (
	"net"
	"net/url"
	"strings"
)

// Host is a host that a plugin may talk to or send a browser to.
type Host struct {
	// Pattern is a host name, optionally with a port; "*." matches any number of labels
	// before the rest; "{option:portal}" is the host of the URL, or the host name, that
	// the administrator entered in that option. Plain http is allowed only if the pattern
	// starts with "http://" or the option's URL does.
	Pattern string `json:"pattern"`
	// ClientSecret is set if client_secret may be sent there.
	ClientSecret bool `json:"client_secret,omitempty"`
}

// OptionHost returns the pattern for the host in an option.
func OptionHost(option string) string { return "{option:" + option + "}" }

// MatchHost finds the declared host that allows u for a service; ok is false if
// none does. Matching ignores case; a pattern without a port means the default
// port of the scheme.
func MatchHost(hosts []Host, svc Service, u *url.URL) (match Host, ok bool) {
	for _, h := range hosts {
		if h.allows(svc, u) {
			if h.ClientSecret {
				return h, true
			}
			match, ok = h, true
		}
	}
	return match, ok
}

func (h Host) allows(svc Service, u *url.URL) bool {
	pattern := h.Pattern
	if option, found := strings.CutPrefix(pattern, "{option:"); found {
		pattern = svc.Option(strings.TrimSuffix(option, "}"))
		if pattern == "" || strings.Contains(pattern, "*") {
			return false
		}
	}
	scheme, rest, found := strings.Cut(pattern, "://")
	if !found {
		scheme, rest = "https", pattern
	}
	if !strings.EqualFold(scheme, u.Scheme) || (u.Scheme != "https" && u.Scheme != "http") {
		return false
	}
	rest, _, _ = strings.Cut(rest, "/")
	wantName, wantPort := splitHost(rest, u.Scheme)
	gotName, gotPort := splitHost(u.Host, u.Scheme)
	if gotName == "" || wantPort != gotPort {
		return false
	}
	if suffix, wild := strings.CutPrefix(wantName, "*."); wild {
		return strings.HasSuffix(gotName, "."+suffix)
	}
	return wantName == gotName
}

// splitHost returns the lower-case name and the port, the scheme's by default.
func splitHost(hostport, scheme string) (name, port string) {
	name, port, err := net.SplitHostPort(hostport)
	if err != nil {
		name, port = strings.Trim(hostport, "[]"), ""
	}
	if port == "" {
		port = "443"
		if strings.EqualFold(scheme, "http") {
			port = "80"
		}
	}
	return strings.TrimSuffix(strings.ToLower(name), "."), port
}
