// Package renewaldb writes what belongs to renewals: leases, intents, kept replies and
// outcomes, and counts renewals by the hour. Concurrent intents, replies and outcomes share
// a transaction.
//
// A lease only keeps two renewals from running at one time; it never decides whose tokens
// are kept. That is decided by the generation.
package renewaldb
