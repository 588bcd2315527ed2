package view

import "time"

// FrontDoor is the page where people without an account take access codes.
type FrontDoor struct {
	Services []Service
	SignedIn bool
	// Query is what Services were searched for. Searched offers the search: there are many.
	Query    string
	Searched bool
	// TooOften is set after too many authorizations, Withdrawn if the service is not here
	// any more.
	TooOften, Withdrawn bool
	// Trouble is why no authorization of Of could begin.
	Trouble *Trouble
	Of      *ServiceRef
}

// How many logins an hour the front page lets begin: from each address, and in all.
const (
	FrontEach = 20
	FrontAll  = 300
)

// How long the fields of a request may be, in characters.
const (
	AskServiceMax = 200
	AskPurposeMax = 1000
	AskContactMax = 200
)

// AskForm is a request for a missing service as entered.
type AskForm struct {
	// Action is where the form is sent, Back where it is left to.
	Action, Back              string
	Service, Purpose, Contact string
	Problems                  Problems
	TooOften, Sent            bool
}

// Request is a request for a service.
type Request struct {
	ID                        string
	Service, Purpose, Contact string
	Source, AskedBy, Address  string
	State, DecidedBy          string
	CreatedAt, DecidedAt      time.Time
}

// Requests lists them, the open ones first.
type Requests struct {
	Rows []Request
	Open int
	// AskURL is where people ask.
	AskURL     string
	Prev, Next string
}
