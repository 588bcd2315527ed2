// Package exchange sends the requests of operations and reads their replies. An
// exchange that spends something (a refresh token, a code) belongs to nobody's
// deadline but its own: once its request may have left, the reply is read for the
// whole budget, whoever has stopped waiting for it. A refresh token whose exchange is
// given up early and that is sent again while the first request is still being
// answered ends the grant at every service that detects reuse (RFC 9700 section
// 4.14.2).
//
// The walk: Start sends a request in the background. Until it is written, it may be
// refused (Request.Fence) or given up (Options.SendWithin); nothing was spent then.
// From there on its Budget runs, in time in which this process could read: a process
// that was stopped reads what has arrived before it judges. Request.Ended is called
// with the Reply before anybody who waits learns of it, so that the reply is durable
// first. Wait and Close end an Exchanger: what is out is read to its end, as long as
// the caller of Wait likes.
package exchange
