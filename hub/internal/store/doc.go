// Package store keeps all state in SQLite or PostgreSQL: rows, transactions, leases,
// migrations, sealed secrets. Its interface uses domain values; rows are private.
//
// Open connects, applies the migrations of its dialect and returns a Store. The same
// statements run on both databases, except where a file states otherwise (lease.go).
// SQLite has one connection that writes and a few that read; PostgreSQL has one pool and
// any number of hubs.
//
// # Times
//
// Times are whole milliseconds since 1970 in UTC, 0 being the zero time, in BIGINT
// columns. Both databases then compare, order and index them as the same numbers; their
// own time types differ in zone, precision and text. A time is truncated to milliseconds
// when it is written.
//
// Times that replicas compare with each other (leases, intents, heartbeats) are set and
// compared by the database's own clock, inside the statement: two hubs' clocks need not
// agree. Times of services and people (expiries, due times) are arguments.
//
// # Secrets
//
// Client secrets, options, token sets, verifiers, replies and session data are sealed
// with table, row id and column as associated data.
//
// # Changes of a connection
//
// The generation numbers its token sets. A change of the grant (UpdateConnection,
// SaveRenewal, SaveFailure) passes the generation that it was decided on and gets
// ErrStale if another one was saved first. A lease only keeps two renewals from running
// at one time; it never decides whose tokens are kept.
package store
