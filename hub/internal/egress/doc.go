// Package egress sends the HTTP requests of plugins. It is the only way out
// that a plugin has, so it is where hosts are checked, secrets are kept from
// hosts that must not see them, and sizes and times are bounded.
//
// A request is sent at most once: no redirect is followed (each one comes back
// to the plugin, and as a new request to this check) and net/http's own repeat
// of requests on stale connections is switched off, because a token request may
// spend a code or a refresh token.
package egress
