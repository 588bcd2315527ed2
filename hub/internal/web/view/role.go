package view

import (
	"context"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
)

type roleKey struct{}

// WithRole puts the role of the person who looks into a context.
func WithRole(ctx context.Context, role string) context.Context {
	return context.WithValue(ctx, roleKey{}, role)
}

// May reports whether the person who looks may do something; pages leave out what
// would be refused.
func May(ctx context.Context, act access.Act) bool {
	role, _ := ctx.Value(roleKey{}).(string)
	return access.May(role, act)
}

// People is the list of people.
type People struct {
	People      []Member
	Invitations []Invitation
	// Link is a new invitation's, shown once, for Invited.
	Link, Invited string
	// What was entered.
	Login, Role string
	Problems    Problems
	// Required is set if everybody needs a second factor.
	Required bool
}

// Member is a person of the hub.
type Member struct {
	ID, Login, Name, Role  string
	Disabled, SecondFactor bool
	// Passkeys is how many they have.
	Passkeys    int
	LastLoginAt time.Time
	// Self is set for the person who looks, Changeable for those whom they may change.
	Self, Changeable bool
	// Roles are those that the person who looks may give.
	Roles []string
	// Keys, Invitations and Links are what is withdrawn with them.
	Keys, Invitations []string
	Links             int
}

// Called is the name to show.
func (m Member) Called() string { return Person{Login: m.Login, Name: m.Name}.Called() }

// Invitation is a link that was not used yet.
type Invitation struct {
	ID, Login, Role, By string
	ExpiresAt           time.Time
}

// Session is a place where the person is signed in.
type Session struct {
	ID, Agent, Address string
	CreatedAt, SeenAt  time.Time
	// Present is set for the one of this request.
	Present bool
}

// Device describes a User-Agent: the browser and its system.
func (s Session) Device() string {
	browser, system := "", ""
	for _, known := range [][2]string{{"Firefox/", "Firefox"}, {"Edg/", "Edge"}, {"YaBrowser/", "Яндекс Браузер"}, {"OPR/", "Opera"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(s.Agent, known[0]) {
			browser = known[1]
			break
		}
	}
	for _, known := range [][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS", "macOS"}, {"Linux", "Linux"}} {
		if strings.Contains(s.Agent, known[0]) {
			system = known[1]
			break
		}
	}
	switch {
	case browser == "" && system == "":
		return s.Agent
	case system == "":
		return browser
	}
	return browser + ", " + system
}

// Invite is the page of an invitation.
type Invite struct {
	Link, Login, Role, Name string
	// Spent is set for a link that is no longer valid.
	Spent    bool
	Problems Problems
}

// LoginCode is the form for a second factor.
type LoginCode struct {
	Wrong bool
	Wait  Wait
}

// SecondFactor is the page that sets up an authenticator app.
type SecondFactor struct {
	// Address is what the app reads, Secret the same to type.
	Address, Secret string
	// QR is the address as a picture's path and its size in modules.
	QR   string
	Size int
	// Wrong is set after a code that was not right.
	Wrong bool
	// Required is set for a person who cannot go on without, Passkeys is what they can
	// have instead.
	Required bool
	Passkeys Passkeys
	// Recovery are the codes that were just made; they are shown once.
	Recovery []string
}
