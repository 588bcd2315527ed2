// Package hub runs Evergrant. Start is the only place where the parts are
// wired; each of them is a package below hub/internal that does not depend on
// the wiring of the others.
//
// # A process pulls a token
//
// GET /api/v1/connections/{name}/token?min_ttl=60s
//
//  1. api checks the API key and what it allows, by one read together with the
//     connection.
//  2. tokensource returns the token if it is valid long enough. Most requests
//     end here.
//  3. Otherwise the callers of one connection join one renewal. It takes the
//     lease; a caller without the lease waits for the row to change.
//  4. The holder reads again, commits the intent, and runs the provider's Refresh
//     (operation) on a plugin process (pluginhost), detached from the callers.
//     The plugin's requests are sent by egress; each reply is in the journal
//     before the plugin receives it.
//  5. connection.Renewed or connection.Failed decides status and due time.
//  6. The outcome is saved with a compare-and-set on the generation; api writes
//     the token, or maps the kind of the error. The scheduler enters at 3.
//
// # A callback
//
// GET /callback/{service}?state=…&code=…
//
// app/grants records that it has begun, and how it ended.
//
//  1. authflow takes the authorization by the hash of its state: deleted and
//     returned in one statement, unexpired, of the service in the path, from the
//     browser that started it.
//  2. The code is exchanged at once, with verifier, all callback parameters and
//     the provider's data.
//  3. connection.Granted; on re-authorization the account must be the same. The
//     browser goes back to the page that started it; a failure shows what
//     happened and a reference, never a token.
//
// # A notification
//
//  1. A renewal fails; the cause is saved with the outcome. incident groups
//     connections by cause, and in the transaction that opens an incident escalation
//     plans the messages by the escalation policies (policy).
//  2. escalation claims due messages, composes them with links of their own, and
//     sends them by channel. A message that is not accepted is retried for a day.
//  3. An acknowledgement, or a new authorization through the link, ends the steps;
//     the contacts that were notified of the incident are notified of its end.
package hub
