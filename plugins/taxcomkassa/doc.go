// Command evergrant-provider-taxcom-kassa is the plugin with the provider
// taxcom-kassa: cash registers and receipts of Taxcom, an operator of fiscal data.
//
// # The walk
//
// Taxcom's page on OAuth is short, and some of it contradicts itself. So every
// point that is not public is an option with a default that works if the
// service is what its addresses look like, IdentityServer3 (options.go), and
// Description.Notices says so to the administrator.
//
// The person authorizes on one host and the token comes from another; both follow
// from the server's name (endpoints.go). The access token lives for as long as was
// agreed at registration, and there is no refresh token. Taxcom speaks of a method
// that prolongs it, without naming it: an integrator who was told its address
// enters it, and Refresh calls it (prolong.go). Otherwise PrepareService
// (description.go) says that there is no auto-renewal, and the hub shows the date
// by which a person has to come back.
//
// A refusal has the error code of RFC 6749 or, from the API, the vendor's number;
// failure.go says who has to act on it.
package main
