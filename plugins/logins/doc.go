// Evergrant-provider-logins serves services that give a session for a login: taxcom-login
// (the session of Taxcom-Kassa's API) and moysklad.
//
// The walk: Login sends what a person entered once, by one request, and returns the session
// as the access token. The hub keeps the login and logs in again when the session is over
// and a process asks for it. A refused login is ReauthorizationRequired, so that the hub does
// not try it again: services lock accounts after a few wrong ones.
package main
