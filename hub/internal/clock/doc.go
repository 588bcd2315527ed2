// Package clock provides the time of the clock that all replicas of a hub share: the
// database's. Wall clocks step, and the database's may step too, so each heartbeat
// compares three clocks: the hub's wall clock, the database's, and the monotonic one.
//
// Clock.Beaten gets the database's time with each heartbeat; the judge (judge.go) decides
// whether the clocks advanced as they should. An unexplained step of more than a few
// seconds is a Doubt: while it lasts no renewal begins, and tokens are served only if
// they are valid by every reading (Latest). It ends once the clocks have agreed for long
// enough; if the database's clock stepped, the dates that it wrote are moved with it
// first (Options.Move).
package clock
