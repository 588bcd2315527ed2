// Package provider is the contract between the Evergrant hub and the plugins
// that speak to OAuth services. It uses the standard library only, so that a
// plugin's author learns nothing but Go and RFC 6749.
//
// # The walk
//
// An administrator adds a Service: a provider plus our client registration
// there. The hub shows the form from Description.Options, hands the filled in
// Service to ServicePreparer if the provider has one, and keeps the result.
//
// A person authorizes. The hub makes state, PKCE verifier and redirect URI, and
// asks AuthorizationCodeGrant.AuthCodeURL where to send the browser. When the
// callback arrives it calls Exchange with every parameter of the callback.
//
// From then on the hub calls Refresher.Refresh when the Description says it is
// time. The provider keeps nothing between calls: a request carries the service
// and the tokens that it needs, so a restarted plugin needs no set-up.
//
// # Three promises of an author
//
//   - Use only the *http.Client of the request (Call.HTTP). The hub carries its
//     requests and journals each reply before the plugin sees it, so a plugin
//     that dies after the service has rotated a refresh token loses nothing: the
//     operation is run again and its requests are answered from the journal.
//     An operation must therefore make the same requests when it is given the
//     same answers.
//   - Never retry. Codes and rotated refresh tokens are good once, and waiting
//     is the hub's business.
//   - Say who has to act. Every failure is an *Error with a Kind; only an
//     explicit ReauthorizationRequired ends a grant.
package provider
