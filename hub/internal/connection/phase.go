package connection

import "github.com/evergrant/evergrant/sdk/provider"

// Phase is a state of the machine in docs/state-machine.md: the stored State, with an
// active connection divided by its last failure. The result of an Event depends on the
// phase and on nothing else.
type Phase string

// The phases.
const (
	PhasePending   Phase = "pending"   // no grant yet
	PhaseHealthy   Phase = "healthy"   // in force, the last renewal succeeded
	PhaseRetrying  Phase = "retrying"  // a failure that passes by itself
	PhaseBlocked   Phase = "blocked"   // the operator has to mend something
	PhaseUncertain Phase = "uncertain" // a reply is lost, or awaited from another replica
	PhaseSuspect   Phase = "suspect"   // refused alone and for long with an unclassified error
	PhasePaused    Phase = "paused"
	PhaseEnded     Phase = "ended"
	PhaseRevoked   Phase = "revoked"
)

// Phases lists every phase.
var Phases = []Phase{PhasePending, PhaseHealthy, PhaseRetrying, PhaseBlocked, PhaseUncertain, PhaseSuspect, PhasePaused, PhaseEnded, PhaseRevoked}

// Phase returns the connection's state in the machine.
func (c Connection) Phase() Phase {
	if c.State != StateActive {
		return Phase(c.State) // the words are the same
	}
	switch f := c.Trouble(); {
	case f == nil:
		return PhaseHealthy
	case f.Suspect:
		return PhaseSuspect
	case f.Kind == provider.Blocked:
		return PhaseBlocked
	case f.Uncertain:
		return PhaseUncertain
	default:
		return PhaseRetrying
	}
}
