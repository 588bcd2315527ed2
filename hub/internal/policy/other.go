package policy

import "slices"

// OtherWays plans the messages of an incident after all planned ones were abandoned, from
// the time when the last one was: on the other addresses of its contacts and of the
// owners; if there are none, on those of the contacts that take the rest. It is empty
// when no address is left.
func OtherWays(s Situation, policies []Policy, contacts []Contact, tried []Planned) []Planned {
	urgent := slices.ContainsFunc(policies, func(p Policy) bool { return p.Urgent && p.Matches(s) })
	meant := func(c Contact) bool {
		return slices.Contains(s.Owners, c.ID) || slices.ContainsFunc(tried, func(p Planned) bool { return p.Contact == c.ID })
	}
	for _, who := range []func(Contact) bool{meant, func(c Contact) bool { return c.TakesRest }} {
		plan := &planner{s: s, byID: map[string]Contact{}}
		for _, c := range contacts {
			if !who(c) {
				continue
			}
			plan.byID[c.ID] = c
			for _, a := range c.Addresses {
				if !slices.ContainsFunc(tried, func(p Planned) bool { return p.Contact == c.ID && p.Channel == a.Channel }) {
					plan.add(c.ID, a.Channel, 0, urgent)
				}
			}
		}
		for i := range plan.all {
			plan.all[i].Step = len(tried) + i
		}
		if len(plan.all) > 0 {
			return plan.all
		}
	}
	return nil
}
