package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Own is the address policy for what the hub itself sends to addresses that people enter:
// messages. Public addresses and the trusted networks are reached, nothing else.
type Own struct {
	// Networks are trusted by configuration although they are not public.
	Networks []netip.Prefix
}

// ClosedError is an address that was not connected to.
type ClosedError struct{ Address string }

// Error implements error.
func (e *ClosedError) Error() string {
	return fmt.Sprintf("%s is in a private network; the operator can allow it with egress.private_networks", e.Address)
}

// Dial connects. A name is judged by each address that it leads to, when it is connected
// to. Errors: *ClosedError.
func (o Own) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		ip, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("look at the address %s: %w", address, err)
		}
		return o.check(ip.Addr())
	}}
	return dialer.DialContext(ctx, network, address)
}

// Proxied judges an address that a proxy connects to: what is written out, in any notation,
// and names of this machine and its network. Errors: *ClosedError.
func (o Own) Proxied(u *url.URL) error {
	if writtenProblem(u.Hostname(), func(ip netip.Addr) bool { return o.check(ip) == nil }) != "" {
		return &ClosedError{Address: u.Hostname()}
	}
	return nil
}

func (o Own) check(ip netip.Addr) error {
	if isPublic(ip) || trusted(o.Networks, ip) {
		return nil
	}
	return &ClosedError{Address: plain(ip).String()}
}
