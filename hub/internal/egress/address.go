package egress

import "net/netip"

// reserved are networks that are not the public Internet beside those that netip
// knows: this network, shared addresses of providers (RFC 6598), protocol
// assignments, benchmarks, class E, and site-local addresses of old.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("fec0::/10"),
}

// carriers are networks whose addresses hold an IPv4 address, and where: NAT64
// (RFC 6052), 6to4 (RFC 3056), IPv4-compatible.
var carriers = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}

// isPublic reports whether an address is one of the public Internet.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsValid() || isLocalLink(ip) || ip.IsPrivate() || ip.IsLoopback() {
		return false
	}
	for _, network := range reserved {
		if network.Contains(ip) {
			return false
		}
	}
	for _, c := range carriers {
		if c.prefix.Contains(ip) {
			bytes := ip.As16()
			return isPublic(netip.AddrFrom4([4]byte(bytes[c.at : c.at+4])))
		}
	}
	return true
}

// isLocalLink reports whether an address is no host's at all, or of this very
// link: metadata services of clouds are there (169.254.169.254), so a name must
// never lead to it.
func isLocalLink(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.IsInterfaceLocalMulticast() || ip == awsMetadata6
}

var awsMetadata6 = netip.MustParseAddr("fd00:ec2::254")
