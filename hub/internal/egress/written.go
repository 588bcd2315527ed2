package egress

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// hostNames maps a host as browsers, net/http and resolvers do before they look it up:
// lower case, full-width digits and dots to plain ones.
var hostNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// localNames are the ends of names that no public resolver leads anywhere (RFC 6761,
// RFC 6762, RFC 8375, ICANN's .internal, where clouds have their metadata).
var localNames = []string{".localhost", ".localdomain", ".local", ".internal", ".home.arpa"}

// writtenProblem checks a host that a proxy resolves: an address in any spelling, and
// names that lead into a network of this machine. may reports which addresses are
// permitted. problem is the address it stands for, or what it is; "" if it is permitted.
// A public name that leads to a private address is for the proxy to refuse.
func writtenProblem(host string, may func(netip.Addr) bool) (problem string) {
	host = strings.Trim(host, "[]")
	if strings.Contains(host, ":") {
		return problemOf(host, may)
	}
	name, err := hostNames.ToASCII(host)
	if err != nil {
		return "a name that cannot be read"
	}
	name = strings.TrimSuffix(name, ".")
	if endsInNumber(name) {
		return numberProblem(name, may)
	}
	if !strings.Contains(name, ".") { // no name of the Internet has one part alone
		if name == "localhost" && may(netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
			return ""
		}
		return "a name of this network"
	}
	for _, end := range localNames {
		if strings.HasSuffix(name, end) && (end != ".localhost" || !may(netip.AddrFrom4([4]byte{127, 0, 0, 1}))) {
			return "a name of this network"
		}
	}
	return ""
}

// problemOf judges an address in its usual form.
func problemOf(written string, may func(netip.Addr) bool) string {
	ip, err := netip.ParseAddr(written)
	if err != nil {
		return "an address that cannot be read"
	}
	if !may(ip) {
		return plain(ip).String()
	}
	return ""
}

// endsInNumber reports whether a host is taken for an IPv4 address (the URL Standard,
// section 3.5): its last part is a number in any notation.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if digits, hex := strings.CutPrefix(last, "0x"); hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// numberProblem checks an IPv4 address in any notation of inet_aton: whole numbers, hex,
// octal, fewer than four parts. A part with a leading zero is octal to some and decimal
// to others, so each reading has to be permitted; an unreadable one is refused.
func numberProblem(name string, may func(netip.Addr) bool) string {
	readings := 0
	for _, octal := range []bool{true, false} {
		ip, ok := addressOf(strings.Split(name, "."), octal)
		if !ok {
			continue
		}
		readings++
		if !may(ip) {
			return ip.String()
		}
	}
	if readings == 0 {
		return "an address that cannot be read"
	}
	return ""
}

// addressOf reads up to four parts; the last fills the bytes that are left.
func addressOf(parts []string, octal bool) (ip netip.Addr, ok bool) {
	if len(parts) > 4 {
		return ip, false
	}
	var whole uint64
	for i, part := range parts {
		digits, base := digitsOf(part, octal)
		n, err := strconv.ParseUint(digits, base, 64)
		last := i == len(parts)-1
		bits := 8
		if last {
			bits = 8 * (5 - len(parts))
		}
		if err != nil || n >= 1<<bits {
			return ip, false
		}
		whole = whole<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(whole >> 24), byte(whole >> 16), byte(whole >> 8), byte(whole)}), true
}

// digitsOf are the digits of a part and their base.
func digitsOf(part string, octal bool) (digits string, base int) {
	switch digits, hex := strings.CutPrefix(part, "0x"); {
	case hex && digits == "":
		return "0", 16
	case hex:
		return digits, 16
	case octal && len(part) > 1 && part[0] == '0':
		return part[1:], 8
	default:
		return part, 10
	}
}
