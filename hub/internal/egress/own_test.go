package egress_test

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/egress"
)

// What the hub sends to addresses that people enter reaches no private network by itself.
// Nothing is sent: the dialler refuses before it connects, and the one that is let through
// is on loopback.
func TestMessagesReachNoPrivateNetworkThatNobodyAllowed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	var closed egress.Own
	open := egress.Own{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if conn, err := open.Dial(t.Context(), "tcp", listener.Addr().String()); err != nil {
		t.Error(err)
	} else {
		_ = conn.Close()
	}
	for _, address := range []string{
		listener.Addr().String(), "localhost:25", "169.254.169.254:80", "10.0.0.7:25", "192.168.1.1:25", "[::1]:25", "[fd00:ec2::254]:80",
		"0.0.0.0:80", "[::ffff:10.0.0.7]:25", "100.64.0.1:25", "[64:ff9b::a00:7]:25",
	} {
		conn, err := closed.Dial(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		if _, ok := errors.AsType[*egress.ClosedError](err); !ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	for address, refused := range map[string]bool{
		"https://hooks.example/x": false, "https://127.0.0.1/": true, "http://localhost./": true, "http://a.localhost/": true, "http://[::1]/": true, "http://169.254.169.254/latest": true,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := closed.Proxied(u); (err != nil) != refused {
			t.Errorf("%s by a proxy: %v", address, err)
		}
		if err := open.Proxied(u); err != nil && u.Hostname() == "127.0.0.1" {
			t.Errorf("%s, allowed: %v", address, err)
		}
	}
}
