package view

import (
	"cmp"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
)

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
	// Requests is the number of open requests for services.
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
	// Untold is the number of open troubles whose messages reached nobody.
	Untold int
	// Doubtful are the services whose options wait for an answer.
	Doubtful []ServiceRef
	// Secrets are the services whose client secrets end soon or have ended.
	Secrets []Service
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

// FirstSteps has the steps that set a hub up, and which of them are done.
type FirstSteps struct {
	Service, Connection, Pulled bool
	// Told is set if a contact can be notified of trouble, KeyKept if a person has a copy of
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
	// Problem is the error of the last one; "" if none was attempted in time.
	Problem string
	// GoodAt is the time of the last successful one; zero without one.
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
