// Package channeltest plays all services that channels speak to, on loopback: the
// HTTP ones under paths like their own, and a mail server. Tests use it, and so
// does any program that simulates an outage without real notifications.
//
// # The walk
//
// Start opens both servers. Settings and Address say what a channel of a kind
// needs to reach them. A message that comes with the right credentials and all it
// has to hold is kept and Messages returns it; anything else is answered as the
// service would. Fail says what the next requests of a kind are answered instead,
// with one of the failures that services have; a service that does not know a
// failure answers with its plainest refusal. Close ends everything, waiting
// requests too.
package channeltest
