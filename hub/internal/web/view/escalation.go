package view

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// EscalationRow is an escalation in a list.
type EscalationRow struct {
	ID, Topic      string
	Days           int
	Service        string
	Connections    []string // names
	Affected       int
	OpenedAt       time.Time
	AcknowledgedAt time.Time
	AcknowledgedBy string
	ClosedAt       time.Time
	Drill          bool
	// Sent, Waiting and Dead count its messages.
	Sent, Waiting, Dead int
}

// Escalations is the list of escalations.
type Escalations struct {
	Open, Over []EscalationRow
	Dead       []DeliveryRow
	// Ready is set if there are a channel and a contact, so that messages can be sent.
	Ready bool
	// Next is the page of older ones; empty at the end.
	Next string
}

// DeliveryRow is a message to a contact.
type DeliveryRow struct {
	ID, EscalationID string
	Kind, State      string
	Contact, Channel string
	DueAt, SentAt    time.Time
	Attempts         int
	Reason, Said     string
	// Preview is its text without the links; empty until it was written.
	Preview string
}

// EscalationPage is one of them with its messages.
type EscalationPage struct {
	EscalationRow

	Said       string
	PersonBy   time.Time
	Deliveries []DeliveryRow
}

// EscalationSetup has the contacts, channels and policies.
type EscalationSetup struct {
	Channels []ChannelRow
	Contacts []ContactRow
	Policies []policy.Policy
	// Names of contacts, channels and services by id, for the steps of policies.
	Names map[string]string
}

// ChannelRow is a channel in a list.
type ChannelRow struct {
	ID, Title, Kind string
	DisabledAt      time.Time
}

// ContactRow is a contact in a list.
type ContactRow struct {
	ID, Title string
	Channels  []string
	TakesRest bool
	Quiet     policy.Quiet
	Zone      string
}

// ChannelForm adds or changes a channel.
type ChannelForm struct {
	ID, Kind, Title string
	Fields          []channel.Field
	Values          map[string]string
	// Kept names the secrets that are stored.
	Kept []string
	// Again names the secrets that were entered and have to be entered again.
	Again      []string
	DisabledAt time.Time
	Problems   map[string]i18n.Words
	// Test is what came of a test message; nil if none was sent.
	Test *ChannelTest
}

// ChannelTest is what came of a test message.
type ChannelTest struct {
	To string
	// Reason is a channel.Reason; empty if the message was taken.
	Reason string
	// Said are the service's words, Reference its name of the message.
	Said, Reference string
}

// ContactForm adds or changes a contact.
type ContactForm struct {
	Contact  policy.Contact
	Channels []noticedb.Channel
	Users    []Member
	// From and Until are quiet hours as 22:00.
	From, Until string
	Problems    map[string]i18n.Words
}

// PolicyForm adds or changes a policy.
type PolicyForm struct {
	Policy   policy.Policy
	Contacts []policy.Contact
	Channels []noticedb.Channel
	Services []ServiceRef
	// ServiceIDs are the services' ids, in their order.
	ServiceIDs []string
	Tags       []string
	Problems   map[string]i18n.Words
}

// Texts are the words of messages.
type Texts struct {
	Topic, Lang string
	Topics      []string
	Parts       []TextPart
	Fields      []string
}

// TextPart is one of the texts of a topic.
type TextPart struct {
	Part, Text string
	Preview    string
	Problem    string
}

// DrillForm rehearses what would happen.
type DrillForm struct {
	Connection string
	Title      string
	Event      policy.Event
	// Planned is who would be notified; nil before it was requested.
	Planned []DrillStep
	Asked   bool
}

// DrillStep is a message that would be sent.
type DrillStep struct {
	Contact, Channel string
	Address          bool
	// After is how long after the begin of the trouble it is sent.
	After time.Duration
}

// AckPage is what the acknowledge link of a message shows.
type AckPage struct {
	Row     EscalationRow
	Contact string
	Action  string
	// Unknown is set for a link that the hub did not send.
	Unknown bool
}
