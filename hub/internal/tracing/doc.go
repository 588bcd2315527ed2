// Package tracing ties together what belongs to one request: the lines of the log, by the
// request ID, and the spans of its trace.
//
// Both are in the context. A renewal outlives its caller's context, so Onto copies them
// to another one without its cancellation. Without a tracer a span costs one look-up in
// the context.
//
// A span holds names, methods, hosts, statuses and kinds of errors. It never holds a
// path, a query, a header, a body or the text of an error: any of them may be a secret.
package tracing
