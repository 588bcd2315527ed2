// Package act carries out the acts of the hub: each thing that a person, an API key, a
// link or the hub itself does is checked, done and recorded in one place, with its outcome.
//
// The packages beside it (connections, services, people and so on) have one method for
// each act. Pages and API put a Caller into the context (With) and only translate.
//
//   - An act on rows runs in Recorder.Change: the work and its record are one transaction.
//     If the work is refused or fails it is rolled back, and the attempt is recorded in a
//     transaction of its own.
//   - An act that asks a service or a person cannot be rolled back: Recorder.Ask records
//     that it was begun before it is done, and afterwards how it went.
//
// The permission that an act needs is checked first, inside both: a caller that may not
// gets ErrNotAllowed, and the attempt is recorded as refused.
package act
