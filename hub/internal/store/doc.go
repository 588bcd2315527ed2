// Package store keeps all state in SQLite or PostgreSQL: rows, transactions, leases,
// migrations, sealed secrets. Its interface uses domain values; rows are private.
//
// Open connects, applies the migrations of its dialect and returns a Store. A Store has a
// package of rows for each area (grantdb, renewaldb, peopledb and so on), all over one
// db.DB: the pool, the transactions and the batches. Packages of rows have no rules of
// their own beyond what keeps rows consistent, and import only those below them:
//
//	store
//	replicadb  statsdb
//	noticedb   bulkdb   peopledb  renewaldb
//	grantdb    authdb    servicedb  plugindb  auditdb
//	db
//
// The statement of a pull is here (pull.go): it reads a key and a connection at once and
// is the hot path of the hub.
//
// The same statements run on both databases, except where a file states otherwise.
// SQLite has one connection that writes and a few that read; PostgreSQL has one pool and
// any number of hubs.
//
// # Transactions
//
// InTx puts a transaction into a context: what is read and written with that context is
// committed together. An act and its audit record are one transaction in this way.
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
package store
