package access

import (
	"net/netip"
	"slices"

	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Errors of a key that would be worth more than the one that makes it.
var (
	ErrOutlives = rule("the new key would last longer than the key that makes it")
	ErrReaches  = rule("the new key would work from addresses that the key that makes it does not")
)

// within bounds a key by the one that makes it, so that a key that is lost for an hour, or
// works from one machine, is not turned into one for ever and everywhere. What next does not
// say it has from its maker. A command on the hub's own machine made its key to set others
// up, and could make any. Errors: ErrOutlives, ErrReaches.
func within(maker, next peopledb.APIKey) (peopledb.APIKey, error) {
	if maker.ID == "" || maker.CreatedBy == MadeByHub {
		return next, nil
	}
	switch end := maker.ExpiresAt; {
	case end.IsZero():
	case next.ExpiresAt.IsZero():
		next.ExpiresAt = end
	case next.ExpiresAt.After(end):
		return next, ErrOutlives
	}
	switch {
	case len(maker.Addresses) == 0:
	case len(next.Addresses) == 0:
		next.Addresses = slices.Clone(maker.Addresses)
	case !covers(maker.Addresses, next.Addresses):
		return next, ErrReaches
	}
	return next, nil
}

// covers reports whether each network of a list lies within one of another.
func covers(outer, inner []string) bool {
	return !slices.ContainsFunc(inner, func(text string) bool {
		network, err := netip.ParsePrefix(text)
		return err != nil || !slices.ContainsFunc(outer, func(o string) bool {
			around, err := netip.ParsePrefix(o)
			return err == nil && around.Bits() <= network.Bits() && around.Contains(network.Addr())
		})
	})
}
