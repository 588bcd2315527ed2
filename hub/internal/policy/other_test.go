package policy_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/internal/policy"
)

func TestHowElseATroubleIsTold(t *testing.T) {
	asleep := contact("asleep", "mail")
	asleep.Zone, asleep.Quiet = "UTC", policy.Quiet{From: 11 * 60, Until: 13 * 60}
	desk := contact("desk", "mail", "sms")
	desk.TakesRest = true
	contacts := []policy.Contact{contact("anna", "telegram", "sms", "mail"), contact("boris", "mail"), asleep, desk}
	tried := func(ways ...string) (list []policy.Planned) {
		for i := 0; i < len(ways); i += 2 {
			list = append(list, policy.Planned{Contact: ways[i], Channel: ways[i+1]})
		}
		return list
	}
	urgent := []policy.Policy{{Enabled: true, Urgent: true, Events: []policy.Event{policy.GrantEnded}}}
	for name, c := range map[string]struct {
		owners   []string
		policies []policy.Policy
		tried    []policy.Planned
		want     string
	}{
		"on the other addresses":           {nil, nil, tried("anna", "telegram"), "anna/sms+0s anna/mail+0s "},
		"to the owner":                     {[]string{"boris"}, nil, tried("anna", "telegram", "anna", "sms", "anna", "mail"), "boris/mail+0s "},
		"to whoever takes what is left":    {nil, nil, tried("boris", "mail"), "desk/mail+0s desk/sms+0s "},
		"when the quiet hours are over":    {[]string{"asleep"}, nil, tried("boris", "mail"), "asleep/mail+1h0m0s "},
		"in quiet hours if that is urgent": {[]string{"asleep"}, urgent, tried("boris", "mail"), "asleep/mail+0s "},
		"to nobody who was tried":          {[]string{"boris"}, nil, tried("boris", "mail", "desk", "mail", "desk", "sms"), ""},
		"whoever was tried is gone":        {nil, nil, tried("gone", "sms"), "desk/mail+0s desk/sms+0s "},
	} {
		got := policy.OtherWays(policy.Situation{Event: policy.GrantEnded, Began: began, Owners: c.owners}, c.policies, contacts, c.tried)
		if text(got) != c.want {
			t.Errorf("%s: %q, want %q", name, text(got), c.want)
		}
		for i, p := range got {
			if p.Step != len(c.tried)+i {
				t.Errorf("%s: step %d of %s comes after %d that were tried", name, p.Step, p.Contact, len(c.tried))
			}
		}
	}
}
