package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
)

// StatusCount is how many connections stand in a way.
type StatusCount struct {
	Status connection.Status
	Count  int
}

// Overview is the first page: what needs a person.
type Overview struct {
	Services int
	Counts   Counts
	// First are the first steps of a hub.
	First FirstSteps
	// Acute need a person now; Soon will need one, the first date first.
	Acute, Soon []ConnectionRow
	// Groups are those who need a person now by service and need, if they are many.
	Groups []AcuteGroup
	// Requests is how many services were asked for that nobody has answered.
	Requests int
	// ChannelsOff are the channels that are switched off, by title.
	ChannelsOff []string
	// Renewals are the next ones, soonest first.
	Renewals []ConnectionRow
	// Incidents are those that concern more than one grant; Over were closed
	// lately.
	Incidents, Over []Incident
	// Plugins are those that do not run. If there are none, PluginsWell counts all.
	Plugins     []PluginTrouble
	PluginsWell int
	// Untold are the open troubles that nobody could be told of.
	Untold int
	// Doubtful are the services whose options wait for an answer.
	Doubtful []ServiceRef
	// OffPolicies are those that an earlier version stored as off.
	OffPolicies []policy.Policy
	// Machine is what is to be known of clocks, copies and replicas.
	Machine Machine
	// Damages are the parts of the reply journal that could not be read.
	Damages []Damage
	// Backup is set if scheduled backups do not succeed.
	Backup *BackupTrouble
	// Expiries are how many connections need a person, by day.
	Expiries []Bar
	// Renewed are how renewals ended lately, by hour.
	Renewed []RenewedBar
}

// FirstSteps says what has to be done once until a hub does its job, and what of it is
// done.
type FirstSteps struct {
	Service, Connection, Pulled bool
	// Told is set if somebody can be told of trouble, KeyKept if somebody has a copy of
	// the hub's key.
	Told, KeyKept bool
}

// Done reports whether nothing is left to do.
func (f FirstSteps) Done() bool {
	return f.Service && f.Connection && f.Pulled && f.Told && f.KeyKept
}

// Damage is a file of the reply journal that could not be read as a whole.
type Damage struct {
	Segment, KeptAs string
	Bytes           int64
	Noticed         time.Time
}

// BackupTrouble is why there is no young backup.
type BackupTrouble struct {
	// Problem is what the last one said; "" if none was tried in time.
	Problem string
	// GoodAt is of the last good one; zero without one.
	GoodAt time.Time
}

// PluginTrouble is a plugin that does not run.
type PluginTrouble struct {
	Name   string
	Failed bool
	Said   string
}

// Bar is a bar of a chart.
type Bar struct {
	At time.Time
	N  int
}

// RenewedBar is how renewals ended in an hour.
type RenewedBar struct {
	At              time.Time
	Renewed, Failed int
}

// MostRenewed is the largest number of renewals in an hour, failed ones counted.
func MostRenewed(bars []RenewedBar) (most int) {
	for _, b := range bars {
		most = max(most, b.Renewed+b.Failed)
	}
	return most
}

// Highest is the largest number of some bars.
func Highest(bars []Bar) (most int) {
	for _, b := range bars {
		most = max(most, b.N)
	}
	return most
}

// Counts tells how many connections there are in all and by status.
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

// OverviewOf sorts out what needs a person.
func OverviewOf(rows []ConnectionRow, services int) Overview {
	o := Overview{Services: services, Counts: CountsOf(rows)}
	for _, r := range rows {
		switch {
		case r.Status == connection.StatusNeedsAuthorization || r.Status == connection.StatusNeedsOperator:
			o.Acute = append(o.Acute, r)
		case r.Status == connection.StatusExpires:
			o.Soon = append(o.Soon, r)
		case r.Status == connection.StatusFresh && !r.PersonBy.IsZero():
			o.Soon = append(o.Soon, r)
		}
		if !r.NextRenewal.IsZero() {
			o.Renewals = append(o.Renewals, r)
		}
	}
	slices.SortStableFunc(o.Acute, func(a, b ConnectionRow) int {
		return cmp.Compare(slices.Index(connection.Statuses, a.Status), slices.Index(connection.Statuses, b.Status))
	})
	slices.SortStableFunc(o.Soon, func(a, b ConnectionRow) int { return a.StatusOrPersonDate().Compare(b.StatusOrPersonDate()) })
	slices.SortStableFunc(o.Renewals, func(a, b ConnectionRow) int { return a.NextRenewal.Compare(b.NextRenewal) })
	o.Acute = o.Acute[:min(len(o.Acute), mostAcute)]
	o.Soon = o.Soon[:min(len(o.Soon), mostSoon)]
	o.Renewals = o.Renewals[:min(len(o.Renewals), mostRenewals)]
	return o
}

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
	// Cause is what those that are asked for suffer from, and CauseText says it.
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
	// Doubts are the options that were probably stored wrong.
	Doubts []Doubt
	// PublishedAt is since when people without an account may take its access codes, zero if
	// they may not; PublishedBy is by whose word.
	PublishedAt time.Time
	PublishedBy string
}
