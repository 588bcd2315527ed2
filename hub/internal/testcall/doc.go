// Package testcall makes a call of a service's API with a connection's current token, so
// that people see the access work before a process depends on it.
//
// The walk: Call finds the declared call, has the token source serve a token as a process
// would get it, sends the request through the hub's egress, with the same list of hosts
// as the plugin has, and returns the answer without the secrets of the connection.
package testcall
