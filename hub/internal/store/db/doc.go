// Package db is the database below the packages of rows: the pool of connections to SQLite
// or PostgreSQL, transactions that travel in a context, batches of concurrent statements,
// migrations, the forms of columns, and copies of all rows for backups. Only packages below
// store import it.
package db
