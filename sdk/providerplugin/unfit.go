package providerplugin

import (
	"fmt"
	"slices"
	"strings"
)

// Requirements are what a plugin asks of a hub before it runs there. The zero value asks
// for nothing.
type Requirements struct {
	// Needs are the features without which it does not work, by name.
	Needs []string `json:"needs,omitempty"`
	// MinimumContract is the oldest revision of the contract that it works with; zero is 1.
	MinimumContract int `json:"minimum_contract,omitempty"`
	// Limits are what it asks for.
	Limits Limits `json:"limits,omitzero"`
}

// UnfitError is a plugin that asks for what this hub does not have or does not grant.
type UnfitError struct {
	// Features are those that are missing, by name.
	Features []string
	// Contract is the revision that is needed; zero if it is not the reason.
	Contract int
	// Excess is what is not granted, a part of a sentence each.
	Excess []string
}

// Error implements error: a sentence about "it", the plugin, with what to do next.
func (e *UnfitError) Error() string {
	var reasons []string
	if e.Contract > 0 {
		reasons = append(reasons, fmt.Sprintf("it needs revision %d of the provider contract, this hub speaks %d: update the hub", e.Contract, Contract))
	}
	switch len(e.Features) {
	case 0:
	case 1:
		reasons = append(reasons, fmt.Sprintf("it needs the feature %s, which this hub does not have: update the hub", e.Features[0]))
	default:
		reasons = append(reasons, fmt.Sprintf("it needs the features %s, which this hub does not have: update the hub", strings.Join(e.Features, ", ")))
	}
	for _, excess := range e.Excess {
		reasons = append(reasons, fmt.Sprintf("it asks for %s: raise that in the hub's configuration", excess))
	}
	return strings.Join(reasons, "; ")
}

// Fit reports whether a hub that grants most at the most meets the requirements. The
// error is an *UnfitError.
func (r Requirements) Fit(most Limits) error {
	unfit := &UnfitError{Excess: r.Limits.beyond(most)}
	if r.MinimumContract > Contract {
		unfit.Contract = r.MinimumContract
	}
	for _, need := range r.Needs {
		if !slices.Contains(features, need) && !slices.Contains(unfit.Features, need) {
			unfit.Features = append(unfit.Features, clean(need, 63))
		}
	}
	if unfit.Contract == 0 && len(unfit.Features) == 0 && len(unfit.Excess) == 0 {
		return nil
	}
	return unfit
}
