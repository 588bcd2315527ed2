// Package exchange sends the requests of operations and reads their replies. An exchange
// that spends a credential (a refresh token, a code) has a deadline of its own: once its
// request may have left, the reply is read for the whole budget, whether or not a caller
// still waits for it. If a refresh token's exchange were abandoned early and the token
// sent again while the first request is still being answered, every service that detects
// reuse would end the grant (RFC 9700 section 4.14.2).
//
// Start sends a request in the background. Until it is written, it may be refused
// (Request.Fence) or abandoned (Options.SendWithin); nothing was spent then. From there
// on its Budget runs, in time in which this process could read: a process that was
// stopped reads what has arrived before it decides. Request.Ended is called with the
// Reply before any waiter is notified, so that the reply is durable first. Wait and Close
// end an Exchanger: exchanges in flight are read to their end, for as long as the context
// of Wait allows.
package exchange
