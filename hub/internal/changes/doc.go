// Package changes notifies waiters that a connection has changed: a process that waits
// for the next generation, a stream of events, a renewal that waits for another
// replica's. Notifications hold ids, never content: the waiter reads the row.
//
// The store calls Publish after each commit of this replica, and with the changes of
// other replicas that it receives over PostgreSQL's LISTEN. Next and Subscribe are how to
// wait. A waiter costs a few words of memory and no query, however long it waits. After
// the connection to the database was lost, PublishAll wakes all waiters, because changes
// may have been missed.
package changes
