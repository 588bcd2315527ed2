package config_test

import (
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/config"
)

// Whoever is in a trusted network can forge an address, so wide ones are warned of.
func TestNetworksThatHoldMoreThanProxiesAreNamed(t *testing.T) {
	c := config.Config{TrustedProxies: []string{"10.0.0.7", "::1", "10.0.0.0/8", "192.168.1.0/24", "192.168.0.0/16", "fd00::/8", "fd00:1:2:3::/64", "0.0.0.0/0"}}
	if got, want := c.WideProxies(), []string{"10.0.0.0/8", "192.168.0.0/16", "fd00::/8", "0.0.0.0/0"}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}
