package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/evergrant/evergrant/hub/internal/bounded"
)

// Refusal is a request that was not sent, or a connection that was not made.
type Refusal struct {
	// Service and Provider are whose it was.
	Service, Provider string
	// Host is where it was to go, with its port if that is not the scheme's.
	Host string
	// Reason is one of the Reason constants, Detail the same for people.
	Reason, Detail string
	// More is how many like it were not reported in the last minutes.
	More int
}

// Reasons of a Refusal.
const (
	// ReasonUndeclared is a host that the plugin does not declare.
	ReasonUndeclared = "undeclared_host"
	// ReasonUnbound is a host that the service's secrets were not entered for.
	ReasonUnbound = "unbound_host"
	// ReasonSecret is a host that must not receive client_secret.
	ReasonSecret = "client_secret"
	// ReasonPrivate is an address that is not public.
	ReasonPrivate = "private_address"
	// ReasonRequest is an address that no request can be sent to.
	ReasonRequest = "unusable_request"
)

// PrivateError is the Err of a *providerplugin.RelayError for a host inside a private
// network that is not allowed.
type PrivateError struct {
	// Host is the host as it would have to be allowed, Address what it resolved to.
	Host, Address string
}

// Error implements error.
func (e *PrivateError) Error() string {
	return fmt.Sprintf("%s is in a private network (%s), which this service may not reach; an administrator can allow the host at the service", e.Host, e.Address)
}

// allowed reports whether an administrator allowed a host for a service. Entries
// are a name or an address, with a port or for every port.
func allowed(entries []string, u *url.URL) bool {
	for _, entry := range entries {
		name, port, err := net.SplitHostPort(entry)
		if err != nil {
			name, port = strings.Trim(entry, "[]"), ""
		}
		if strings.EqualFold(name, u.Hostname()) && (port == "" || port == portOf(u)) {
			return true
		}
	}
	return false
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

type hostKey struct{}

// publicOnly lets connections be made to public addresses and trusted networks.
func (s *Sender) publicOnly(ctx context.Context, _, address string, _ syscall.RawConn) error {
	ip, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("look at the address %s: %w", address, err)
	}
	if isPublic(ip.Addr()) || s.trusts(ip.Addr()) {
		return nil
	}
	host, _ := ctx.Value(hostKey{}).(string)
	return &PrivateError{Host: host, Address: plain(ip.Addr()).String()}
}

// allowedHosts lets connections be made to hosts that were allowed by name. A name
// must not lead to this link all the same: that is where metadata services are.
func (s *Sender) allowedHosts(ctx context.Context, _, address string, _ syscall.RawConn) error {
	ip, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("look at the address %s: %w", address, err)
	}
	host, _ := ctx.Value(hostKey{}).(string)
	if isLocalLink(ip.Addr()) && !s.trusts(ip.Addr()) && strings.Trim(host, "[]") != ip.Addr().String() {
		return &PrivateError{Host: host, Address: ip.Addr().String()}
	}
	return nil
}

// trusts reports whether the configuration trusts an address's network.
func (s *Sender) trusts(ip netip.Addr) bool { return trusted(s.networks, ip) }

func trusted(networks []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(plain(ip)) })
}

// proxied checks what can be checked when a proxy resolves the name: addresses that are
// written out, in any notation, and names of this machine and its network.
func (s *Sender) proxied(u *url.URL) error {
	problem := writtenProblem(u.Hostname(), func(ip netip.Addr) bool { return isPublic(ip) || s.trusts(ip) })
	if problem == "" {
		return nil
	}
	return &PrivateError{Host: u.Host, Address: problem}
}

// reportEvery is the time between two reports of the same refusal.
const reportEvery = time.Minute

// reporter reports refusals, equal ones at most once in reportEvery: a hostile plugin
// must not fill the audit record.
type reporter struct {
	to func(Refusal)

	mu       sync.Mutex
	reported *bounded.Map[Refusal, reported]
}

type reported struct {
	at   time.Time
	more int
}

const maxReported = 1000

func (t *reporter) report(now time.Time, r Refusal) {
	if t.to == nil {
		return
	}
	t.mu.Lock()
	key := Refusal{Service: r.Service, Provider: r.Provider, Host: r.Host, Reason: r.Reason}
	last, known := t.reported.Get(key)
	if known && now.Sub(last.at) < reportEvery {
		last.more++
		t.reported.Put(key, last)
		t.mu.Unlock()
		return
	}
	r.More = last.more
	t.reported.Put(key, reported{at: now})
	t.mu.Unlock()
	t.to(r)
}
