// Package connection holds the rules of a grant's life: when its tokens are to
// be renewed, what an outcome changes, how it stands. The rules are pure: they
// do no I/O, read no clock (now is an argument) and change only the copy of the
// Connection that they return.
//
// The walk of a Connection: New makes it without a grant. Granted gives it its
// first token set, generation 1. The scheduler looks at Due; a renewal ends in
// Renewed (the next generation) or Failed (a kind of provider.Error decides who
// has to act). Only an explicit ReauthorizationRequired ends a grant, and only
// while the generation that was sent is still the current one.
//
// Everything that can happen to a Connection is an Event, and Apply is the machine
// of Phases and events that docs/state-machine.md draws; a test holds the drawing
// and the code against each other.
package connection
