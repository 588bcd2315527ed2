// Package store keeps everything in SQLite or PostgreSQL: rows, transactions,
// leases, migrations, sealed secrets. It speaks of domain values; rows are
// private.
//
// The walk: Open connects, applies the migrations of its dialect and returns a
// Store. The same statements run on both databases, except where a file says
// otherwise (lease.go). SQLite has one connection that writes and a few that
// read; PostgreSQL has one pool and any number of hubs.
//
// # Times
//
// Times are whole milliseconds since 1970 in UTC, 0 being the zero time, in
// BIGINT columns. Both databases then compare, order and index them as the same
// numbers; their own time types differ in zone, precision and text. A time is
// cut to milliseconds on its way in.
//
// What replicas hold against each other (leases, intents, heartbeats) is set and compared
// by the database's own clock, inside the statement: two hubs' clocks need not agree. What
// services and people meant with a time (expiries, due times) is an argument.
//
// # Secrets
//
// Client secrets, options, token sets, verifiers, replies and session data are
// sealed with table, row id and column as associated data.
//
// # Who may change a connection
//
// The generation numbers its token sets. Who changes the grant (UpdateConnection,
// SaveRenewal, SaveFailure) names the generation that the change was decided on
// and gets ErrStale if another one has won. A lease only keeps two renewals from
// running at one time; it never decides whose tokens are kept.
package store
