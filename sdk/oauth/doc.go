// Package oauth makes one token request the right way and gives the reply its
// meaning, for authors of provider plugins.
//
// # The walk
//
// A service that follows the RFCs is a Config: New returns its whole provider,
// whose wire is golang.org/x/oauth2's (standard.go). Endpoints that differ from
// service to service come from Config.Resolve, and may be found by Discover.
//
// A service that does not is a provider of the author's own over two calls:
// Do sends one TokenRequest, whatever its method, form and client
// authentication, and returns the Reply (request.go, reply.go); Reply.Token
// turns that into a token set (token.go) or into a *provider.Error that says
// who has to act (failure.go), with every secret removed from its text
// (redact.go).
//
// Neither retries, follows a redirect or probes how a client has to be
// authenticated: authorization codes and rotated refresh tokens are good once.
package oauth
