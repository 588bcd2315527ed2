// Package bitrix24test emulates a Bitrix24 portal and the vendor's authorization
// server, two hosts that work together.
//
// # The walk
//
// The browser comes to the portal's /oauth/authorize/ with client_id and state.
// Nothing else of the request is read: redirect address and scopes come from the
// card of the registered App. After consent the portal redirects with code, state,
// domain, member_id, scope and server_domain, or shows the code if the card has no
// address. What fails here is shown to the person; there is no error redirect.
//
// The client spends the code within 30 seconds at the authorization server's
// /oauth/token/ (GET, or POST with a form). Every refresh token is good once; using
// it also ends the access token that was issued together with it.
//
// The access token is presented to the portal's /rest/: user.current, profile and
// app.info, or to the authorization server's /rest/app.info.
package bitrix24test
