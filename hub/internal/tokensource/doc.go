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
//  1. Take the lease; whoever loses waits for the row to change.
//  2. Read the connection again: somebody else may have renewed it.
//  3. Settle an intent that an earlier renewal left open (settle.go).
//  4. Commit the intent, then run the provider's Refresh. Each reply is
//     journaled before the plugin sees it.
//  5. connection.Renewed or connection.Failed decides what changes.
//  6. Save with a compare-and-set on the generation, and only then tell the
//     journal that the operation is done. While the database is away the save is
//     tried again.
package tokensource
