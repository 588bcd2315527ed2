// Package googletest emulates Google's OAuth endpoints under one base URL, with
// userinfo and the calendar list as the APIs to try a token on.
//
// # The walk
//
// The browser comes to /o/oauth2/v2/auth. Trouble with the client or its redirect
// address is shown to the person; a refusal goes back as error=access_denied. The
// person may untick scopes other than those of signing in, so what is granted can
// be less than what was asked for.
//
// The client spends the code at /token, with the PKCE verifier if there was a
// challenge. A refresh token comes only with access_type=offline, and then only at
// the first consent of this person for this client, or with prompt=consent. It is
// not rotated: the reply to a refresh holds none, and older access tokens live on.
//
// It dies by revocation, after 6 months without use, and when a hundred newer ones
// of the same person and client are alive; the answer is invalid_grant each time,
// and does not say which.
package googletest
