// Package tracing ties together what belongs to one request: the lines of the log, by
// the request's name, and the spans of its trace.
//
// Both travel in the context. A renewal outlives the context of whoever asked for it,
// so Onto takes them along and leaves the end of that context behind. Where nobody
// collects traces, a span costs a look into the context.
//
// A span holds names, methods, hosts, statuses and kinds of errors. It never holds a
// path, a query, a header, a body or the text of an error: any of them may be a secret.
package tracing
