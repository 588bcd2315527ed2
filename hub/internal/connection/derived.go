package connection

import (
	"strings"
	"time"
)

// Derived is what follows from a connection alone and is stored beside it, so that lists
// can be searched, filtered and counted without opening each token set. What depends on the
// time as well (StatusAt) is computed from it.
type Derived struct {
	// Search is the text in which a search looks, folded.
	Search string
	// Cause is what the connection suffers from, as Cause.String writes it.
	Cause string
	// PersonBy is when a person has to authorize; zero for no known time.
	PersonBy time.Time
	Phase    Phase
	// RenewableUntil is the end of automatic renewal; see Connection.RenewableUntil.
	RenewableUntil time.Time
}

// Derived returns what is stored beside a connection. It is written with each change of it.
func (c Connection) Derived() Derived {
	by, _ := c.PersonBy()
	return Derived{
		Search: Folded(c.Name + "\n" + c.Title + "\n" + c.Account.Name + "\n" + c.Account.ID),
		Cause:  c.Cause, PersonBy: by, Phase: c.Phase(), RenewableUntil: c.RenewableUntil(),
	}
}

// Folded is a text in the form in which texts are compared in searches: letters of all
// alphabets in lower case, which SQLite does for Latin letters only.
func Folded(text string) string { return strings.ToLower(text) }
