package policy

import (
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// Event is an event that can be notified.
type Event string

// The events.
const (
	// RenewalFailed: a service does not answer as it should, or the outcome of a renewal
	// is unknown.
	RenewalFailed Event = "renewal_failed"
	// GrantEnded: the service ended a grant; only a person can bring it back.
	GrantEnded Event = "grant_ended"
	// OperatorNeeded: the service refuses the hub's registration or its settings.
	OperatorNeeded Event = "operator_needed"
	// PluginFailed: a plugin fails.
	PluginFailed Event = "plugin_failed"
	// PersonIn30, PersonIn14, PersonIn3 and PersonIn1: a grant expires within so many days
	// unless it is authorized again. The first is of static keys alone.
	PersonIn30 Event = "person_needed_30"
	PersonIn14 Event = "person_needed_14"
	PersonIn3  Event = "person_needed_3"
	PersonIn1  Event = "person_needed_1"
	// ServiceRequested: a person requests a missing service.
	ServiceRequested Event = "service_requested"
	// HostsChanged: secrets or grants of a service, or the secret of a channel, may go to
	// other hosts from now on, or wait for an owner's consent to that.
	HostsChanged Event = "hosts_changed"
	// SecretEnds: a client secret of a service ends, or has ended.
	SecretEnds Event = "client_secret_ends"
	// CertificateEnds: the certificate by which the hub proves itself to a service ends, or
	// has ended.
	CertificateEnds Event = "client_certificate_ends"
	// ScopesNeeded: a process has reported that a service refuses a request of a connection
	// for lack of scopes, which only a person can grant.
	ScopesNeeded Event = "scopes_needed"
	// IncidentOpened is chosen in escalation policies for any incident, whatever its
	// event is.
	IncidentOpened Event = "incident_opened"
	// Recovered: the incident is over. It is sent to those who were notified of it,
	// without being chosen.
	Recovered Event = "recovered"
)

// Events are those that a policy can choose.
var Events = []Event{RenewalFailed, PersonIn30, PersonIn14, PersonIn3, PersonIn1, GrantEnded, OperatorNeeded, PluginFailed, ScopesNeeded, SecretEnds, CertificateEnds, ServiceRequested, HostsChanged, IncidentOpened, Recovered}

// Days are the days before the expiry of a grant that are notified, longest first.
var Days = []int{14, 3, 1}

// KeyDays are the days before the end of a static key that are notified besides: people may
// have to ask somebody else for a new one.
const KeyDays = 30

// SecretDays are the days before the end of a client secret or certificate that are notified.
var SecretDays = []int{30, 14, 3}

// PersonIn is the event of one of Days, or of KeyDays.
func PersonIn(days int) Event {
	switch days {
	case KeyDays:
		return PersonIn30
	case 1:
		return PersonIn1
	case 3:
		return PersonIn3
	default:
		return PersonIn14
	}
}

// EventOf is the event of an incident's cause.
func EventOf(c connection.Cause) Event {
	switch c.Kind {
	case connection.CauseGrant:
		return GrantEnded
	case connection.CauseClient, connection.CauseService:
		return OperatorNeeded
	case connection.CausePlugin:
		return PluginFailed
	default:
		return RenewalFailed
	}
}

// IsIncident reports whether an event is that of an incident.
func (e Event) IsIncident() bool {
	return slices.Contains([]Event{RenewalFailed, GrantEnded, OperatorNeeded, PluginFailed}, e)
}

// grace is how long an incident may last before it is notified without a matching
// escalation policy: most outages are over before a person could act.
func (e Event) grace() time.Duration {
	if e == RenewalFailed {
		return 15 * time.Minute
	}
	return 0
}
