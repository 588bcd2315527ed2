// Package tokensource hands out valid access tokens and renews them under a
// lease. It is the only place where a refresh token is spent.
//
// # The walk of a pull
//
// Token reads the connection. If enough life is left it is returned: most pulls
// end here, without a lock and without a call. Otherwise the callers of one
// connection join one renewal (flight.go), detached from their contexts, for a
// client that hangs up must not lose a rotated token.
//
// # The walk of a renewal (renewal.go)
//
//  1. Take the lease and read the connection; whoever loses waits for the row to
//     change. The scheduler's claims have done both.
//  2. Commit the intent: refused if lease or generation have moved on since. One
//     that an earlier renewal left open is settled first (settle.go).
//  3. Run the provider's Refresh. Each reply is journaled before the plugin sees
//     it.
//  4. connection.Renewed or connection.Failed decides what changes.
//  5. Save with a compare-and-set on the generation, and only then tell the
//     journal that the operation is done. While the database is away the save is
//     tried again.
//
// # The walk of a start (recover.go)
//
// Recover frees the leases of the last run, saves the replies that it left in the
// journal, and tries its open intents without a reply once more; other replicas
// wait for nobody else. Later it looks, once in a lease time, for open intents of
// this hub that nothing works on.
package tokensource
