// Package overview reads what there is, across the areas: for the front of the web hub, the
// forecast, the incidents and the audit record. It changes nothing, and so has no acts.
package overview

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
)

// Overview reads what there is. It is safe for concurrent use.
type Overview struct{ store *store.Store }

// New returns an Overview.
func New(st *store.Store) *Overview { return &Overview{store: st} }

// CountByStatus counts all connections by their status at a time.
func (o *Overview) CountByStatus(ctx context.Context, now time.Time) (map[connection.Status]int, error) {
	return o.store.Grants.CountByStatus(ctx, now)
}

// Upcoming are the connections that the hub renews next, soonest first.
func (o *Overview) Upcoming(ctx context.Context, most int) ([]connection.Connection, error) {
	return o.store.Grants.Upcoming(ctx, most)
}

// AnyPulled reports whether a token of any connection has ever been pulled.
func (o *Overview) AnyPulled(ctx context.Context) (bool, error) {
	return o.store.Grants.AnyPulled(ctx)
}

// AcuteGroups counts the connections that need a person at a time, by service and by what
// they need, the largest group first.
func (o *Overview) AcuteGroups(ctx context.Context, now time.Time) ([]statsdb.AcuteGroup, error) {
	return o.store.Stats.AcuteGroups(ctx, now)
}

// PersonNeeded are the connections that need a person at a known time, soonest first.
func (o *Overview) PersonNeeded(ctx context.Context, most int) ([]connection.Connection, error) {
	return o.store.Stats.PersonNeeded(ctx, most)
}

// PersonNeededByDay counts the connections that need a person on each of the days that
// follow now, each 24 hours long.
func (o *Overview) PersonNeededByDay(ctx context.Context, now time.Time, days int) ([]int, error) {
	return o.store.Stats.PersonNeededByDay(ctx, now, days)
}

// RenewalHours are the counts of renewals in the hours since a time, oldest first.
func (o *Overview) RenewalHours(ctx context.Context, since time.Time) ([]statsdb.RenewalHour, error) {
	return o.store.Stats.RenewalHours(ctx, since)
}

// Incidents are the open incidents, or with closed the closed ones, newest first.
func (o *Overview) Incidents(ctx context.Context, closed bool, most int) ([]noticedb.Incident, error) {
	return o.store.Notices.Incidents(ctx, closed, most)
}

// Untold counts the open, unacknowledged incidents for which no notification was sent.
func (o *Overview) Untold(ctx context.Context) (int64, error) { return o.store.Notices.Untold(ctx) }

// OpenServiceRequests counts the requests for services without a decision.
func (o *Overview) OpenServiceRequests(ctx context.Context) (int, error) {
	return o.store.Notices.OpenServiceRequests(ctx)
}

// Service reads a service by its id. Callers must not write to what it points to. Errors:
// store.ErrNotFound.
func (o *Overview) Service(ctx context.Context, id string) (service.Service, error) {
	return o.store.Services.Service(ctx, id)
}

// Records are the audit records that a filter chooses, newest first.
func (o *Overview) Records(ctx context.Context, f auditdb.AuditFilter) ([]auditdb.AuditRecord, error) {
	return o.store.Audit.AuditRecords(ctx, f)
}

// Dialect is the kind of the database.
func (o *Overview) Dialect() string { return o.store.Dialect() }

// Detached fails with a *store.DetachedError while the database is a detached copy.
func (o *Overview) Detached(ctx context.Context) error { return o.store.Detached(ctx) }
