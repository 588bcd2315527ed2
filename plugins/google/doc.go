// Command evergrant-provider-google is the plugin with the provider
// google-calendar: Google's OAuth 2.0 for web server applications.
//
// # The walk
//
// Google follows the RFCs, so the provider is that of sdk/oauth (provider.go)
// with what Google adds around it. The authorization asks for offline access,
// because there is no refresh token without, and for the person's consent when
// the hub needs a refresh token: Google hands one out at the first consent only,
// and again when consent is asked for anew. It also asks for openid and email,
// so that Identify can say whose calendar it is (scopes.go).
//
// A refresh leaves the refresh token as it is. When Google refuses, failure.go
// says who has to act and what they can do. PrepareService (prepare.go) fits the
// description to a service: a week of life for apps in testing, other hosts
// behind a gateway (endpoints.go).
package main
