package connection

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// EventKind names what can happen to a connection.
type EventKind string

// The events. EventTransient to EventDeferred are how a renewal can end, and carry
// in Sent the generation whose tokens were used.
const (
	EventGranted      EventKind = "granted"       // a person authorized
	EventRenewed      EventKind = "renewed"       // the service gave the next token set
	EventTransient    EventKind = "transient"     // a failure that passes (also Internal)
	EventBlocked      EventKind = "blocked"       // a failure for the operator (also Denied)
	EventRefused      EventKind = "refused"       // ReauthorizationRequired: the service ended the grant
	EventReplyLost    EventKind = "reply_lost"    // sent, but not answered, and a repeat is not safe
	EventOwnerAwaited EventKind = "owner_awaited" // the answer may lie with another replica
	EventSuspected    EventKind = "suspected"     // the fifth equal refusal of this grant alone, in two hours or more
	EventTooEarly     EventKind = "too_early"     // the service renews only once the access token is over
	EventHalfRenewed  EventKind = "half_renewed"  // a reply that replaces the refresh token and is of no use otherwise
	EventDeferred     EventKind = "deferred"      // the endpoint gets no requests for now
	EventStale        EventKind = "stale"         // any outcome for another generation than the current one
	EventPaused       EventKind = "paused"
	EventResumed      EventKind = "resumed"
	EventRevoked      EventKind = "revoked"
	EventRestored     EventKind = "restored" // an administrator put a kept token set back
	EventEdited       EventKind = "edited"   // the service was edited
)

// EventKinds lists every event.
var EventKinds = []EventKind{
	EventGranted, EventRenewed, EventTransient, EventBlocked, EventRefused, EventReplyLost, EventOwnerAwaited, EventSuspected, EventTooEarly, EventHalfRenewed, EventDeferred,
	EventStale, EventPaused, EventResumed, EventRevoked, EventRestored, EventEdited,
}

// Event is a change of a connection. Kind determines which of the other fields are used.
type Event struct {
	Kind EventKind
	// Sent is the generation that a renewal used.
	Sent int64
	// Asked is when the token request was about to be sent: expires_in counts from it.
	// Token is the reply. For EventGranted and EventRenewed.
	Asked time.Time
	Token provider.Token
	// Account and Requested belong to EventGranted.
	Account   provider.Account
	Requested []string
	// Failure is what went wrong.
	Failure *provider.Error
	// Lost is what is known of the request of EventReplyLost.
	Lost Lost
	// Mine is set for EventOwnerAwaited if the replica is this one.
	Mine bool
	// Until is when the endpoint or the owner is looked for again.
	Until time.Time
	// Past is the token set of EventRestored.
	Past PastSet
	// Policy is the service's after EventEdited.
	Policy Policy
}

// Apply is the machine: the connection after an event. It is pure, and every
// change of a connection in the hub is one of its cases, by the method of that
// name. An event that the phase does not allow changes nothing.
func (c Connection) Apply(now time.Time, e Event) Connection {
	switch e.Kind {
	case EventGranted:
		return c.Granted(now, e.Asked, e.Token, e.Account, e.Requested)
	case EventPaused:
		return c.Paused(now)
	case EventResumed:
		return c.Resumed(now)
	case EventRevoked:
		return c.Revoked(now)
	case EventEdited:
		return c.WithPolicy(now, e.Policy)
	case EventRestored:
		if c.MayRestore(now, e.Past) != nil {
			return c
		}
		return c.Restored(now, e.Past)
	}
	if e.Sent != c.Generation { // a concurrent outcome was saved first, and its tokens stay
		return c
	}
	return c.ended(now, e)
}

// ended is Apply for the ways in which a renewal of the current generation ends.
func (c Connection) ended(now time.Time, e Event) Connection {
	switch e.Kind {
	case EventRenewed:
		return c.Renewed(now, e.Asked, e.Token)
	case EventTransient, EventBlocked, EventRefused:
		return c.Failed(now, e.Sent, e.Failure)
	case EventSuspected:
		return c.Suspected(now, e.Sent, e.Failure)
	case EventTooEarly:
		return c.TooEarly(now, e.Sent, e.Failure)
	case EventHalfRenewed:
		return c.HalfRenewed(now, e.Asked, e.Failure)
	case EventReplyLost:
		return c.ReplyLost(now, e.Sent, e.Failure, e.Lost)
	case EventOwnerAwaited:
		return c.OwnerAwaited(now, e.Sent, e.Until, e.Mine)
	case EventDeferred:
		return c.Deferred(now, e.Until)
	}
	return c
}
