// Package grantdb reads and writes connections with their token sets, tags, history and
// events, the trash, started authorizations, links and offers, and bulk runs over
// connections.
//
// The generation numbers the token sets of a connection. A change of the grant passes the
// generation that it was decided on and gets ErrStale if another one was saved first.
package grantdb
