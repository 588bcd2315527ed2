// Command evergrant-provider-oauth2 is the plugin with the provider oauth2: any
// service that follows RFC 6749, described by the options of the service alone.
//
// # The walk
//
// An administrator enters an issuer, or the addresses of the endpoints by hand
// (options.go). PrepareService (prepare.go) asks the issuer for its metadata
// (discover.go), checks that everything needed is there, and fits the
// description to this one service: its hosts, issuer, scopes, grants and way of
// renewal. What was discovered comes back with every later call in Service.Data
// (endpoints.go); an address entered by hand wins over a discovered one.
//
// An operation builds the provider of sdk/oauth for its service and hands the
// request on to it (provider.go). Where there is no userinfo, the account is
// read from the ID token (identify.go).
package main
