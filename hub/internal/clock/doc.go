// Package clock tells a hub what time it is by the clock that all its replicas share: the
// database's. Wall clocks step, and the database's may step too, so each sign of life
// compares three clocks: the hub's wall clock, the database's, and the time that has truly
// passed (monotonic).
//
// The walk: Clock.Beaten gets the database's time with each sign of life; the judge
// (judge.go) decides whether the clocks did what they should. A step of more than a few
// seconds that nothing explains is a Doubt: while it lasts no renewal begins, and tokens are
// served only if they are good by every reading (Latest). It ends by itself once the clocks
// have agreed for a while; if the database's clock stepped, what it dated is moved with it
// first (Options.Move).
package clock
