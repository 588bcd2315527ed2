// Package authserver is an authorization server that follows the RFCs to the
// letter and misbehaves on request. Tests and the demo services use it; it needs
// nothing of package testing.
//
// # The walk
//
// A browser opens /authorize and gets a page to log in and to decide on
// (authorize.go, page.go). The decision begins a family: everything that is
// issued from one consent (ledger.go). The code is exchanged at /token
// (token.go), where a Fault may strike before or after the work was done
// (fault.go). Refresh tokens rotate, and one that comes back a second time kills
// its family: what a hub that loses or repeats a renewal must fear.
//
// The server is also the judge: TokenState says whether an access token would be
// accepted, DoubleSpent how often a spent secret was presented, TokenRequests how
// often the client asked (judge.go).
//
// It serves RFC 6749 (authorization code, refresh token, client credentials),
// RFC 7636 S256, RFC 7009, RFC 7662, RFC 8414, RFC 8628, RFC 9207 and of OpenID Connect discovery,
// ID tokens and userinfo.
package authserver
