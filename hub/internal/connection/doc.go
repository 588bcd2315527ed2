// Package connection holds the rules of a grant's lifecycle: when its tokens are to be
// renewed, what an outcome changes, and which status results. The rules are pure: they do
// no I/O, read no clock (now is an argument) and change only the copy of the Connection
// that they return.
//
// New makes a Connection without a grant. Granted gives it its first token set,
// generation 1. The scheduler reads Due; a renewal ends in Renewed (the next generation)
// or Failed (the kind of the provider.Error determines who has to act). Only an explicit
// ReauthorizationRequired ends a grant, and only while the generation that was sent is
// still the current one.
//
// Every change of a Connection is an Event, and Apply is the machine of Phases and events
// of docs/state-machine.md; a test compares the document with the code.
package connection
