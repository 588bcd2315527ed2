package providerplugin

import "slices"

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
)

// Features are the names of what this package's Client can do, sorted.
func Features() []string {
	return slices.Clone(features)
}

var features = []string{FeatureLimits, FeaturePublisherNames}
