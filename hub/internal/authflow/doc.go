// Package authflow starts authorizations and finishes their callbacks (RFC 6749 section
// 4.1 with RFC 7636, RFC 9207 and the advice of RFC 9700).
//
// Start makes state, PKCE verifier and nonce, gets the address of the authorization
// endpoint from the provider, and commits the authorization; only the hash of state is
// stored, and all secrets are sealed. The person grants. Finish takes the authorization
// by the hash of its state, deleted and returned in one statement: it is valid once,
// until it expires, for the service in the callback's path, and from the browser that
// started it. The code is exchanged at once, the account compared on re-authorization,
// and the connection saved with a compare-and-set, in one transaction with the connections
// of the authorization's parts: all that came is saved, or nothing. FinishPasted does the same for a
// callback address that was opened elsewhere and pasted.
package authflow
