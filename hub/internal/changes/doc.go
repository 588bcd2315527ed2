// Package changes tells whoever waits that a connection has changed: a process that
// asks for the next generation, a stream of events, a renewal that waits for
// another replica's. It carries names of changes, never their content: whoever
// wakes reads the row.
//
// The walk: the store calls Publish after each commit of this replica, and with
// what it hears from other replicas over PostgreSQL's LISTEN. Next and Subscribe
// are how to wait. A waiter costs a few words of memory and no query, however
// long it waits. After the connection to the database was lost, PublishAll wakes
// everybody, for nobody knows what was missed.
package changes
