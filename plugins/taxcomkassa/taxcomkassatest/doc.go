// Package taxcomkassatest emulates the OAuth side of Taxcom-Kassa: an authorize
// server (auth-<server> at the vendor's) and a token server (<server>), two hosts.
//
// Taxcom's page is short, and its addresses and tokens look like IdentityServer3's.
// So the emulator does what is written where something is written, and what
// IdentityServer3 does where nothing is: redirect_uri is required at the authorize
// server, client credentials are base64 in an Authorization header that begins with
// "Basic ", with no percent-encoding inside, or fields of the form. Config has a
// switch for each point on which the vendor may differ.
//
// # The walk
//
// The browser comes to /core/connect/authorize, the client spends the code at
// /core/connect/token and gets an access token of 32 hexadecimal digits, good for
// 41 days, and no refresh token. With Config.Prolong there is also an address that
// prolongs it. The API, of which /API/v2/KKTList stands for all, takes the token in
// the header Session-Token or Authorization.
package taxcomkassatest
