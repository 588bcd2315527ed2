// Package keyring keeps the keys that services need and plugins never see: keys that sign
// assertions (private_key_jwt, JWT bearer), client certificates (RFC 8705) and keys that
// prove possession (DPoP, RFC 9449).
//
// A key is declared by the provider's description and kept for each service. It is made by
// the hub (generate.go), which publishes its public part (jwks.go), or imported from what
// the service or a certification authority issued (import.go). A plugin names it: the hub
// signs (sign.go), adds a proof (dpop.go) or presents the certificate (certificate.go).
//
// # Replacing a key
//
// A new version of a signing key is published at once and used after Lead, so that a
// service which caches the published set knows it by then. The version that it replaces
// stays published for Overlap: what it has signed may still be on its way. An imported
// version is used at once. A refresh token that is bound to a DPoP key is renewed with that
// version as long as it lives.
package keyring
