// Package endpoint limits the requests to one token endpoint, over all the
// connections that it serves: how many at a time, how many in a second, and none at all
// while it is down. It does no I/O and holds its state in memory, for each replica by
// itself: finding an outage on every replica costs a few requests, sharing the circuit
// would cost a write for each reply.
//
// # A request
//
// A Key names an endpoint: scheme, host and path of its address. Limiter.Enter waits
// for a permit (first come, first served) and returns done, which takes the Outcome.
// Enter returns a *ClosedError at once if the endpoint is known to be down, has sent
// Retry-After (RFC 9110 section 10.2.3), or if the next slot of its rate is far off. Its
// Until is when to retry.
//
// # The circuit
//
// While it is closed, all requests may enter. After Limits.Failures failures in a row
// (no reply, 5xx) it opens: no request enters until a time. Then it is half-open: one
// request, the probe, may enter. If the probe fails, the circuit opens again, for a
// quarter of the time that the outage has lasted, 5 s to 5 min with jitter: an outage
// costs few requests, and its end is detected soon. If the probe is answered, the
// circuit closes, but recovers first: few requests at a time, and two failures in a row
// open it, until as many requests in a row as opened it are answered, or until it has
// been healthy for as long as it was last open. A 429 concerns the grant that got it,
// whose connection obeys it; after Limits.Throttled grants in a row it concerns the
// endpoint, at once if its service counts by client. That, and a 503 with Retry-After,
// opens the circuit for that time. Failures of requests that entered before the circuit
// opened change nothing: an outage is counted once.
//
// # Use
//
// The key of a service is not known before its plugin has sent a request, so package
// operation reports it: Limiter.Learn(service, key) with each request of a renewal.
// Before that a service has a key of its own with a low limit.
//
//   - tokensource enters before it commits the intent of a renewal: after the lease,
//     before store.BeginIntent. A *ClosedError is no failure of the grant:
//     connection.Deferred moves the due time behind Until, and the failures of the
//     connection are not counted up. A pull of an expired token is answered with a
//     wait until then.
//   - operation's relay makes the Outcome of each request with Answered or
//     NoReply. Those of a renewal go to the done of its Enter (the last one of the
//     operation counts; done is deferred, because a probe without an outcome keeps the
//     circuit half-open). NotSent is a request that the hub refused to send, abandoned
//     because it stops, or an operation that made no request, also because BeginIntent
//     refused or a plugin failed. Interactive requests (exchange, identify, revoke) need
//     no permit: they go to Limiter.Observe.
//   - scheduler puts claimed connections into a Queue with the service's key, and its
//     workers take from there: an endpoint that hangs cannot occupy all workers. It may
//     leave services whose Limiter.Room is zero out of its claims.
//
// All times are kept with the monotonic clock: setting the wall clock does not open or
// close a circuit.
package endpoint
