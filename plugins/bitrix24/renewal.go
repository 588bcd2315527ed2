package main

import (
	"cmp"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

const (
	day = 24 * time.Hour
	// keepAlive is how often an unused grant is renewed. The vendor requires at least one
	// renewal in the lifetime of a refresh token, which was 28 days at its shortest.
	keepAlive = 20 * day
)

// onDemand renews when a token has expired and is pulled, as the vendor's documentation
// requires of applications.
var onDemand = provider.RenewWindow{Kind: provider.RenewOnDemand, KeepAlive: keepAlive}

// windowOf is the renewal policy that an administrator chose.
func windowOf(svc provider.Service) provider.RenewWindow {
	if svc.Option(optionRenewPolicy) != policyAlwaysFresh {
		return onDemand
	}
	minutes := cmp.Or(svc.Int(optionRenewEvery), defaultRenewEvery)
	return provider.RenewWindow{Kind: provider.RenewBeforeExpiry, Every: time.Duration(minutes) * time.Minute}
}
