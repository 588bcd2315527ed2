package providerplugin

import (
	"slices"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Contract is the revision of the provider contract that this package speaks. It grows
// when something is added that a description cannot leave out.
const Contract = 1

// Features of a hub beyond the first revision of the contract, by name. A plugin that
// does not work without one states it in ServeConfig.Needs, and a hub that lacks it
// refuses the plugin by that name. A name never changes its meaning.
const (
	// FeatureLimits is granting more than the contract's own Limits. A plugin that asks
	// for more needs it without saying so.
	FeatureLimits = "limits"
	// FeaturePublisherNames is providers named publisher.name. A plugin that serves one
	// needs it without saying so.
	FeaturePublisherNames = "publisher-names"
	// FeatureSign is signing by keys that the hub keeps (SignRequest). A plugin whose
	// description declares such a key, and not as optional, needs it without saying so; so
	// it is with the next two.
	FeatureSign = "sign"
	// FeatureClientCertificates is showing a certificate that the hub keeps (RFC 8705).
	FeatureClientCertificates = "client-certificates"
	// FeatureDPoP is proving possession of a key that the hub keeps (RFC 9449).
	FeatureDPoP = "dpop"
	// FeatureParts is keeping further token sets of one authorization. A plugin whose
	// description declares Parts needs it without saying so, and a hub that would drop them
	// refuses it.
	FeatureParts = "parts"
)

// Features are the names of what this package's Client can do, sorted.
func Features() []string {
	return slices.Clone(features)
}

var features = []string{FeatureClientCertificates, FeatureDPoP, FeatureLimits, FeatureParts, FeaturePublisherNames, FeatureSign}

// keyFeatures are what a hub can do that keeps keys of a use.
var keyFeatures = map[provider.KeyUse]string{
	provider.KeySignature: FeatureSign, provider.KeyClientCertificate: FeatureClientCertificates, provider.KeyDPoP: FeatureDPoP,
}
