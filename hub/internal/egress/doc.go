// Package egress sends the HTTP requests of plugins. It is the only way out
// that a plugin has, so it is where hosts are checked, secrets are kept from
// hosts that must not see them, and sizes and times are bounded.
//
// A request is sent at most once: no redirect is followed (each one comes back
// to the plugin, and as a new request to this check) and net/http's own repeat
// of requests on stale connections is switched off, because a token request may
// spend a code or a refresh token.
//
// # The policy
//
// A host has to be declared by the plugin, and be one of those that the service's
// secrets were entered for (sender.go). Its address, as it was
// resolved for this very connection, has to be public (address.go): no private,
// loopback, link-local or metadata address, unless the configuration trusts that
// network, or an administrator allowed that host for the service (policy.go). Where an
// outbound proxy resolves names, a host is checked as it is written, in any notation of an
// address (written.go); the proxy has to check where a public name leads.
// Connections to allowed private hosts are kept apart from all others, so that a
// kept one cannot serve a service that may not open it. Refusals are reported to
// Options.Refused, for the audit record.
package egress
