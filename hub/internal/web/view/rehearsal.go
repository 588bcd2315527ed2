package view

import "time"

// Rehearsal is whether a renewal would work, as far as the service says.
type Rehearsal struct {
	// Verdict is one of authflow's.
	Verdict string
	// Left is the remaining life that the service names; zero for none.
	Left time.Duration
	// Scopes and Account are what the service names; "" for nothing.
	Scopes, Account string
	// Cause is the error of the service; nil for none.
	Cause *Trouble
}

// Kind is the kind of note that shows it.
func (r Rehearsal) Kind() string {
	switch r.Verdict {
	case "renewal_works", "access_works":
		return "good"
	case "renewal_over", "access_over":
		return "warning"
	}
	return "info"
}
