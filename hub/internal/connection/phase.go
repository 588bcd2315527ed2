package connection

import "github.com/evergrant/evergrant/sdk/provider"

// Phase is a state of the machine that docs/state-machine.md draws: the stored
// State, with an active connection told apart by its last failure. What follows
// from an Event depends on the phase and on nothing else.
type Phase string

// The phases.
const (
	PhasePending   Phase = "pending"   // no grant yet
	PhaseHealthy   Phase = "healthy"   // in force, the last renewal succeeded
	PhaseRetrying  Phase = "retrying"  // a failure that passes by itself
	PhaseBlocked   Phase = "blocked"   // the operator has to mend something
	PhaseUncertain Phase = "uncertain" // a reply is lost, or awaited from another replica
	PhaseSuspect   Phase = "suspect"   // refused alone and for long in words that nobody knows
	PhasePaused    Phase = "paused"
	PhaseEnded     Phase = "ended"
	PhaseRevoked   Phase = "revoked"
)

// Phases lists every phase.
var Phases = []Phase{PhasePending, PhaseHealthy, PhaseRetrying, PhaseBlocked, PhaseUncertain, PhaseSuspect, PhasePaused, PhaseEnded, PhaseRevoked}

// Phase tells where in the machine the connection is.
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
