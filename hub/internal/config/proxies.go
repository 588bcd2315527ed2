package config

import "net/netip"

// The networks that a few reverse proxies fit into, in bits.
const (
	narrow4 = 24
	narrow6 = 64
)

// WideProxies are those of TrustedProxies that hold more than proxies are likely to be:
// every client in them can say that it has any address.
func (c Config) WideProxies() (wide []string) {
	for _, proxy := range c.TrustedProxies {
		network, err := netip.ParsePrefix(proxy)
		if err != nil {
			continue // one address
		}
		least := narrow6
		if network.Addr().Is4() {
			least = narrow4
		}
		if network.Bits() < least {
			wide = append(wide, proxy)
		}
	}
	return wide
}
