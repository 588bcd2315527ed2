// Package web serves the web hub: pages for administrators and for the people
// who authorise.
//
// The walk of a page: Sessions loads the session and refuses what another site
// sends. signedIn finds the person, speak their language. A handler reads the
// domain, makes a view of it (package view) and renders a page (package page)
// around it; a form that cannot be used comes back with the problem beside each
// field, one that can redirects, so that reloading does nothing twice.
//
// The walk of an authorization: authorize starts it and renders the page that
// says where the browser goes, for a form must not lead to a foreign host under
// our Content-Security-Policy. callback finishes it and shows the end, which
// never holds a token.
package web
