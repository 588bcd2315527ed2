package policy

import "slices"

// Concerned counts the enabled escalation policies that are about the services or tags of a
// situation, whatever happens there, and the channels that they and the owners use.
func Concerned(s Situation, policies []Policy, contacts []Contact) (rules, channels int) {
	told, used := slices.Clone(s.Owners), map[string]bool{}
	for _, p := range policies {
		if !p.Enabled || !p.Concerns(s) {
			continue
		}
		rules++
		for _, step := range p.Steps {
			told = append(told, step.To)
			if step.Channel != "" {
				used[step.Channel] = true
			}
		}
	}
	for _, c := range contacts {
		if slices.Contains(told, c.ID) && len(c.Addresses) > 0 {
			used[c.Addresses[0].Channel] = true
		}
	}
	return rules, len(used)
}
