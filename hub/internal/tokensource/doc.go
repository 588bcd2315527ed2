// Package tokensource hands out valid access tokens and renews them under a
// lease. It is the only place where a refresh token is spent.
//
// # A pull
//
// Token reads the connection. If the token is valid long enough it is returned:
// most pulls end here, without a lock and without a request. Otherwise the callers of
// one connection join one renewal (flight.go), detached from their contexts, so that
// a client that disconnects does not lose a rotated token.
//
// # A renewal (renewal.go)
//
//  1. Take the lease and read the connection; a caller without the
//     lease waits for the row to change. The scheduler's claims have done both.
//  2. Commit the intent: refused if lease or generation have changed since. One
//     that an earlier renewal left open is settled first (settle.go).
//  3. Run the provider's Refresh. Each reply is journaled before the plugin
//     receives it.
//  4. connection.Renewed or connection.Failed decides what changes.
//  5. Save with a compare-and-set on the generation, and only then mark
//     the operation as done in the journal. While the database is unavailable the save
//     is retried.
//
// # A start (recover.go)
//
// Recover frees the leases of the last run, saves the replies that it left in the
// journal, and retries its open intents without a reply once; other replicas wait for
// that. Later it looks, once in a lease time, for open intents of this hub that no
// renewal is working on.
package tokensource
