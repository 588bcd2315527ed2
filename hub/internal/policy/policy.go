package policy

import (
	"slices"
	"time"
)

// ToOwner is the recipient of a Step that is the owner of the connection.
const ToOwner = "owner"

// Policy says who is told of what, step by step.
type Policy struct {
	ID, Title string
	Enabled   bool
	// Events that it is about, at least one.
	Events []Event
	// Services by id and Tags that connections have: one of either has to fit; both
	// empty fit everything.
	Services, Tags []string
	// Urgent messages are sent in quiet hours, too.
	Urgent bool
	Steps  []Step
	// Doubtful is set if it was last saved by a version whose form kept every box as
	// empty. The store keeps it.
	Doubtful bool `json:"-"`
}

// Step is one message of a policy.
type Step struct {
	// After is the time since the incident began. A step is left out if the incident was
	// acknowledged before.
	After time.Duration `json:"after"`
	// To is a contact's id, or ToOwner.
	To string `json:"to"`
	// Channel is a channel's id; empty is the first address that the contact has.
	Channel string `json:"channel"`
}

// Contact is a recipient of notifications.
type Contact struct {
	ID, Title string
	// UserID is their account here; empty for none.
	UserID string
	// Lang is en or ru; Zone an IANA name, which quiet hours are in.
	Lang, Zone string
	// Quiet are hours without messages that are not urgent.
	Quiet Quiet
	// TakesRest is set if messages without any other recipient go here.
	TakesRest bool
	Addresses []Address
}

// Address is where a contact is reached on a channel.
type Address struct {
	Channel string `json:"channel"` // a channel's id
	To      string `json:"to"`
}

// On is the contact's address on a channel; empty if there is none.
func (c Contact) On(channel string) string {
	for _, a := range c.Addresses {
		if a.Channel == channel {
			return a.To
		}
	}
	return ""
}

// Quiet is a part of each day, in minutes from midnight. It may go over midnight.
// From equal to Until is never.
type Quiet struct{ From, Until int }

// Situation is an incident, or its end, as escalation policies match it.
type Situation struct {
	Event Event
	// Began is when it began, or for Recovered when it was over.
	Began time.Time
	// Services, Tags and Owners are those of all connections that suffer; Owners are
	// contacts' ids.
	Services, Tags, Owners []string
}

// Planned is a message that is to be sent.
type Planned struct {
	Contact, Channel string
	// Step counts from 0 in the order of time.
	Step int
	At   time.Time
}

// Matches reports whether a policy is about a situation.
func (p Policy) Matches(s Situation) bool {
	if !p.Enabled {
		return false
	}
	wanted := slices.Contains(p.Events, s.Event) || (s.Event.IsIncident() && slices.Contains(p.Events, IncidentOpened))
	if !wanted {
		return false
	}
	return p.Concerns(s)
}

// Concerns reports whether a policy is about the services or tags of a situation,
// whatever happens there.
func (p Policy) Concerns(s Situation) bool {
	if len(p.Services) == 0 && len(p.Tags) == 0 {
		return true
	}
	return shares(p.Services, s.Services) || shares(p.Tags, s.Tags)
}

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}
