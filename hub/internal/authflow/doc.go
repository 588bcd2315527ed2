// Package authflow starts authorizations and finishes their callbacks (RFC 6749
// section 4.1 with RFC 7636, RFC 9207 and the advice of RFC 9700).
//
// The walk: Start makes state, PKCE verifier and nonce, asks the provider for
// the address of its authorization endpoint, and commits the authorization; only
// the hash of state is stored, everything secret is sealed. The person grants.
// Finish takes the authorization by the hash of its state, deleted and returned
// in one statement: it is good once, unexpired, of the service in the callback's
// path, and from the browser that started it. The code is exchanged at once,
// the account compared on re-authorisation, and the connection saved with a
// compare-and-set. FinishPasted does the same for an address that somebody
// landed on elsewhere.
package authflow
