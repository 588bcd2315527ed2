// Package endpoint limits what the hub asks of one token endpoint, over all the
// connections that it serves: how many requests at a time, how many in a second,
// and none at all while it is down. It does no I/O and holds its state in memory,
// for each replica by itself: a circuit that every replica finds out for itself
// costs a few requests, a shared one would cost a write for each reply.
//
// # The walk of a request
//
// A Key names an endpoint: scheme, host and path of its address. Limiter.Enter waits
// for a permit (first come, first served) and returns done, which takes the Outcome.
// Enter returns a *ClosedError at once if the endpoint is known to be down, asked
// to be left alone (Retry-After, RFC 9110 section 10.2.3), or if the slot of its
// rate is far off. Its Until is when to come back.
//
// # The circuit
//
// Closed, all may enter. After Limits.Failures failures in a row (no reply, 5xx) it
// opens: nobody enters until a time. Then it is half-open: one request, the probe, may
// enter. If the probe fails, the circuit opens again, for a quarter of the time that the
// trouble has lasted, 5 s to 5 min with jitter: so an outage costs few requests, and its
// end is found soon, also where few ask. If it is answered, the circuit closes, but
// recovers first: few at a time, and two failures in a row open it, until as many
// requests in a row as opened it are answered, or until it has been healthy for as long as
// it was open at last. A 429 is that of the grant that got it, whose connection obeys
// it; after Limits.Throttled grants in a row it is the endpoint's, as one is at once
// whose service counts by client. That, and a 503 with Retry-After, opens the circuit
// for that time. Failures of requests that entered before the circuit opened
// change nothing: an outage is counted once.
//
// # Where it belongs
//
// The key of a service is not known before its plugin has sent a request, so the
// relay of operations tells it: Limiter.Learn(service, key) with each request of a
// renewal. Before that a service has a key of its own with little room.
//
//   - tokensource enters before it commits the intent of a renewal: after the lease,
//     before store.BeginIntent. A *ClosedError is no failure of the grant:
//     connection.Deferred moves the due time behind Until, and the failures of the
//     connection are not counted up. A pull of a token that has run out is answered
//     with a wait until then.
//   - operation's relay makes the Outcome of each request with Answered or
//     NoReply. Those of a renewal go to the done of its Enter (the last one of the
//     operation counts; done is deferred, for a probe that never ends keeps the
//     circuit half-open). NotSent is what the hub refused to send itself, what it
//     gave up because it stops, and an operation that made no request, also because
//     BeginIntent refused or a plugin failed. The requests of people
//     (exchange, identify, revoke) are not held up: they go to Limiter.Observe.
//   - scheduler puts what it has claimed into a Queue with the service's key, and
//     its workers take from there: an endpoint that hangs cannot hold all workers.
//     It may leave services whose Limiter.Room is zero out of its claims.
//
// All times are kept with the monotonic clock: a wall clock that is set does not
// open or close anything.
package endpoint
