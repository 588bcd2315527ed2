package policy_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/internal/policy"
)

func TestConcernedCountsRulesAndChannels(t *testing.T) {
	anna := policy.Contact{ID: "anna", Addresses: []policy.Address{{Channel: "tg"}, {Channel: "mail"}}}
	desk := policy.Contact{ID: "desk", Addresses: []policy.Address{{Channel: "mail"}}}
	silent := policy.Contact{ID: "silent"}
	steps := []policy.Step{{To: "desk", Channel: "sms"}, {To: "desk"}, {To: policy.ToOwner}}
	for _, test := range []struct {
		name            string
		at              policy.Situation
		policies        []policy.Policy
		rules, channels int
	}{
		{"nothing", policy.Situation{}, nil, 0, 0},
		{"the owner alone", policy.Situation{Owners: []string{"anna"}}, nil, 0, 1},
		{"an owner without an address", policy.Situation{Owners: []string{"silent"}}, nil, 0, 0},
		{"a disabled policy", policy.Situation{}, []policy.Policy{{Steps: steps}}, 0, 0},
		{"a policy of everything", policy.Situation{Owners: []string{"anna"}}, []policy.Policy{{Enabled: true, Steps: steps}}, 1, 3},
		{"a policy of another service", policy.Situation{Services: []string{"a"}}, []policy.Policy{{Enabled: true, Services: []string{"b"}, Steps: steps}}, 0, 0},
		{"a policy of one of its tags", policy.Situation{Tags: []string{"x", "y"}}, []policy.Policy{{Enabled: true, Tags: []string{"y"}, Steps: steps}}, 1, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			rules, channels := policy.Concerned(test.at, test.policies, []policy.Contact{anna, desk, silent})
			if rules != test.rules || channels != test.channels {
				t.Errorf("%d rules and %d channels, want %d and %d", rules, channels, test.rules, test.channels)
			}
		})
	}
}
