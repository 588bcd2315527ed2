package egress

import (
	"net/netip"
	"slices"
)

// unicast6 is the part of IPv6 that is assigned to hosts (RFC 4291): addresses outside
// it, site-local (fec0::/10), unique local, discard-only, SRv6 (5f00::/16), NAT64 of a
// site (64:ff9b:1::/48) and translated addresses, are not routed on the Internet.
var unicast6 = netip.MustParsePrefix("2000::/3")

// reserved are the networks of the IANA special-purpose registries (RFC 6890) that are
// not reached from everywhere, beside those that netip knows. The whole of 192.0.0.0/24
// and 2001::/23 counts: what of them is reached from everywhere is no server.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // shared addresses of carrier-grade NAT
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4, of old
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // class E
	netip.MustParsePrefix("2001::/23"),       // protocol assignments: Teredo, benchmarks, ORCHID
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("3fff::/20"),       // documentation
}

// embeddings are networks whose addresses hold an IPv4 address, and where: NAT64
// (RFC 6052), 6to4 (RFC 3056), IPv4-compatible, IPv4-translated (RFC 2765).
var embeddings = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12}, {netip.MustParsePrefix("::ffff:0:0:0/96"), 12},
}

// embedded is the IPv4 address that an IPv6 address leads to, if it is of such a kind.
func embedded(ip netip.Addr) (inner netip.Addr, ok bool) {
	if ip.Is4In6() {
		return ip.Unmap(), true
	}
	if !ip.Is6() {
		return inner, false
	}
	bytes := ip.As16()
	for _, c := range embeddings {
		if c.prefix.Contains(ip) {
			return netip.AddrFrom4([4]byte(bytes[c.at : c.at+4])), true
		}
	}
	if bytes[8]&^2 == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe { // ISATAP (RFC 5214)
		return netip.AddrFrom4([4]byte(bytes[12:16])), true
	}
	return inner, false
}

// plain is an address without its zone and out of IPv4-mapped form.
func plain(ip netip.Addr) netip.Addr { return ip.WithZone("").Unmap() }

// isPublic reports whether an address is one of the public Internet.
func isPublic(ip netip.Addr) bool {
	zoned := ip.Zone() != ""
	ip = plain(ip)
	if !ip.IsValid() || zoned || isLocalLink(ip) || ip.IsPrivate() || ip.IsLoopback() {
		return false
	}
	for _, network := range reserved {
		if network.Contains(ip) {
			return false
		}
	}
	if inner, ok := embedded(ip); ok {
		return isPublic(inner) && !netip.MustParsePrefix("::/64").Contains(ip) // the old forms in ::/64 lead nowhere
	}
	return ip.Is4() || unicast6.Contains(ip)
}

// metadata are the metadata addresses of clouds, beside the link-local ones: AWS and
// Google Cloud on IPv6, Alibaba Cloud, Oracle Cloud, Azure.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"), netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("192.0.0.192"), netip.MustParseAddr("168.63.129.16"),
}

// isLocalLink reports whether an address is no host's at all, or of this very
// link: metadata services of clouds are there (169.254.169.254), so a name must
// never lead to it.
func isLocalLink(ip netip.Addr) bool {
	ip = plain(ip)
	if ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() {
		return true
	}
	if slices.Contains(metadata, ip) {
		return true
	}
	inner, ok := embedded(ip)
	return ok && !ip.IsLoopback() && isLocalLink(inner)
}
