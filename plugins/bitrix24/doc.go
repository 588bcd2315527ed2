// Command evergrant-provider-bitrix24 is the plugin with the provider bitrix24:
// portals in the vendor's cloud and boxes of one's own.
//
// # The walk
//
// Three hosts take part. The portal (portal.go) shows the consent page; it reads
// client_id and state and nothing else, because the redirect address and the
// scopes are on the card of the application there. The redirect names the
// vendor's authorization server that holds the code, which then lives for 30
// seconds. Exchange and Refresh (provider.go) ask that server for tokens. Its name
// came through a browser, and client_secret is sent there: authserver.go takes a
// name only from the vendor's own list, or from an administrator.
//
// A token reply (token.go) says little in the fields of RFC 6749 and much beside
// them. It says whose grant it is, too, so that Identify makes no request
// (account.go). A refresh token is good once, and using it ends the access token
// that came with it. The vendor asks for a renewal only when a token has expired and
// is needed: renewal.go holds this policy and the other one.
//
// A refusal is known by its code, in whatever case and with whatever status;
// failure.go says who has to act on it.
package main
