package service

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// HostsOf are the hosts that a service reaches, by name: those of its own description,
// and those that its options put into the patterns of the provider's description. A name
// is a pattern of provider.Host without an option in it: "auth.example",
// "auth.example:8443", "http://auth.lan", "*.example".
func HostsOf(svc Service, own []provider.Host) []provider.Host {
	secret := map[string]bool{}
	add := func(h provider.Host) {
		if name := hostName(h.Pattern, svc.Options); name != "" {
			secret[name] = secret[name] || h.ClientSecret
		}
	}
	if svc.Description != nil {
		for _, h := range svc.Description.Hosts {
			add(h)
		}
	}
	for _, h := range own {
		if strings.HasPrefix(h.Pattern, optionPattern) {
			add(h)
		}
	}
	hosts := make([]provider.Host, 0, len(secret))
	for _, name := range slices.Sorted(maps.Keys(secret)) {
		hosts = append(hosts, provider.Host{Pattern: name, ClientSecret: secret[name]})
	}
	return hosts
}

// Exact are those of a provider's hosts that are neither an option's nor a wildcard.
func Exact(own []provider.Host) []provider.Host {
	return slices.DeleteFunc(slices.Clone(own), func(h provider.Host) bool {
		return strings.HasPrefix(h.Pattern, optionPattern) || strings.Contains(h.Pattern, "*")
	})
}

// optionPattern begins the pattern of a host that an option holds.
const optionPattern = "{option:"

// hostName is the name that a pattern has for a service; "" if its option is empty.
func hostName(pattern string, options map[string]any) string {
	if option, found := strings.CutPrefix(pattern, optionPattern); found {
		pattern, _ = options[strings.TrimSuffix(option, "}")].(string)
		if strings.Contains(pattern, "*") {
			return "" // no request is allowed by it
		}
	}
	scheme, rest, found := strings.Cut(strings.ToLower(strings.TrimSpace(pattern)), "://")
	if !found {
		scheme, rest = "https", scheme
	}
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		rest = rest[:at]
	}
	if name, port, err := net.SplitHostPort(rest); err == nil && port == usualPort[scheme] {
		rest = name
		if strings.Contains(name, ":") {
			rest = "[" + name + "]"
		}
	}
	rest = strings.TrimSuffix(rest, ".")
	if rest == "" || scheme == "https" {
		return rest
	}
	return scheme + "://" + rest
}

var usualPort = map[string]string{"https": "443", "http": "80"}

// Beyond are those of hosts that known does not cover: the host itself, or that it may
// see the client secret.
func Beyond(known, hosts []provider.Host) []provider.Host {
	return slices.DeleteFunc(slices.Clone(hosts), func(h provider.Host) bool {
		return slices.ContainsFunc(known, func(k provider.Host) bool { return covers(k, h) })
	})
}

func covers(known, h provider.Host) bool {
	if h.ClientSecret && !known.ClientSecret {
		return false
	}
	address := h.Pattern
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return known.Pattern == h.Pattern
	}
	_, ok := provider.MatchHost([]provider.Host{known}, provider.Service{}, u)
	return ok
}

// Merged are the hosts of two lists, each once.
func Merged(a, b []provider.Host) []provider.Host {
	return HostsOf(Service{Description: &provider.Description{Hosts: slices.Concat(a, b)}}, nil)
}

// HostNames are the names of hosts.
func HostNames(hosts []provider.Host) []string {
	names := make([]string, 0, len(hosts))
	for _, h := range hosts {
		names = append(names, h.Pattern)
	}
	return names
}

// Bound are the hosts to which the service's secrets and grants may go. A service of a
// version that did not keep them is bound to those that it reached when it was stored;
// own are the hosts of its provider's description.
func (s Service) Bound(own []provider.Host) []provider.Host {
	if len(s.Hosts) > 0 {
		return s.Hosts
	}
	return HostsOf(s, own)
}

// Held reports whether the service waits for an owner's consent to new hosts: nothing is
// sent for it until then.
func (s Service) Held() bool { return len(s.HeldHosts) > 0 }
