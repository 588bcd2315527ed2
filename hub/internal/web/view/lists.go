package view

import (
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// StatusCount is the number of connections of a status.
type StatusCount struct {
	Status connection.Status
	Count  int
}

// Counts is the number of connections in all and by status.
type Counts struct {
	Total  int
	Status map[connection.Status]int
}

// CountsByStatus adds up counts by status.
func CountsByStatus(byStatus map[connection.Status]int) Counts {
	counts := Counts{Status: byStatus}
	for _, n := range byStatus {
		counts.Total += n
	}
	return counts
}

// Acute is the number of connections that need a person now.
func (c Counts) Acute() int {
	return c.Status[connection.StatusNeedsAuthorization] + c.Status[connection.StatusNeedsOperator]
}

// Present lists the statuses that occur, most urgent first.
func (c Counts) Present() []StatusCount {
	var present []StatusCount
	for _, s := range connection.Statuses {
		if n := c.Status[s]; n > 0 {
			present = append(present, StatusCount{s, n})
		}
	}
	return present
}

// CountsOf counts connections.
func CountsOf(rows []ConnectionRow) Counts {
	c := Counts{Total: len(rows), Status: map[connection.Status]int{}}
	for _, r := range rows {
		c.Status[r.Status]++
	}
	return c
}

// Bounds of the overview's lists.
const (
	mostRenewals = 6
	mostSoon     = 8
	mostAcute    = 20
)

// StatusOrPersonDate is when a person has to act, as far as that is known.
func (r ConnectionRow) StatusOrPersonDate() time.Time {
	if !r.PersonBy.IsZero() {
		return r.PersonBy
	}
	return r.StatusDate()
}

// Connections is the list of connections.
type Connections struct {
	// All is how many connections there are, Counts how many the search, service, tag and
	// cause find by status, Found how many of these have the status that is asked for.
	All    int
	Counts Counts
	Found  int
	// StatusCounts are the counts by status of all of them.
	StatusCounts Counts
	// Trashed is how many are in the trash.
	Trashed int
	Rows    []ConnectionRow
	// Cause is the cause that the list is filtered by, CauseText its description.
	Cause, CauseText string
	// Granted limits the list to those that were never authorized ("never") or once were ("once").
	Granted string
	// Query, Status and Service are what the list is filtered by.
	Query   string
	Status  connection.Status
	Service ServiceRef
	// Tag is one of Tags, Sort the order.
	Tag, Sort string
	Tags      []string
	// Address is the query of this list, without its page.
	Address string
	// Next is the address of the next page; empty on the last one.
	Next string
	// Services is the number of services: without one nothing can be connected.
	Services int
}

// Searched reports whether something else than a status limits the list.
func (c Connections) Searched() bool {
	return c.Query != "" || c.Service.Name != "" || c.Tag != "" || c.Cause != "" || c.Granted != ""
}

// Limited reports whether not all connections are asked for.
func (c Connections) Limited() bool { return c.Searched() || c.Status != "" }

// Matches reports whether a row is asked for by what was typed, in any case of
// letters.
func (r ConnectionRow) Matches(query string) bool {
	q := strings.ToLower(strings.TrimSpace(query))
	return q == "" || strings.Contains(strings.ToLower(r.Name+"\n"+r.Title+"\n"+r.Account+"\n"+r.Service.Title), q)
}

// Service is a service in a list and on its own page.
type Service struct {
	ServiceRef
	Provider    Provider
	ClientID    string
	RedirectURI string
	Scopes      []string
	// Options are the values without the secret ones, as the form names them.
	Options []OptionValue
	// Hosts are what its plugin may talk to.
	Hosts       []string
	Connections int
	// Rows are a page of them; Next is the address of the next page, First is set on the
	// first one. Trashed are those in the trash, which keep the service from being deleted.
	Rows      []ConnectionRow
	Next      string
	First     bool
	Trashed   int
	CreatedAt time.Time
	UpdatedAt time.Time
	// Unserved is set if no plugin serves its provider now.
	Unserved bool
	// Held are the new hosts that it waits for an owner's consent to.
	Held HeldHosts
	// Secrets are its client secrets, the current one first, without their values.
	Secrets []Secret
	// Doubts are the options that were probably stored wrong.
	Doubts []Doubt
	// PublishedAt is since when people without an account may take its access codes, zero if
	// they may not; PublishedBy is by whose word.
	PublishedAt time.Time
	PublishedBy string
}
