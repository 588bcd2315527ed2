// Package web serves the web hub: pages for administrators, and for the people who authorize
// connections.
//
// Each area of the pages is one type (connectionPages, grantPages, servicePages and so on) that
// has the parts of the hub that it uses as fields. Its routes are registered by its methods open,
// for strangers, and routes, for people who are signed in. All areas embed kit, which answers
// requests: session, person, flash messages, the page around the content, error pages.
//
// A request for a page: Sessions loads the session and refuses requests from other sites. The
// gate finds the person and checks the role; speak sets the language. A handler reads the
// domain, makes a view of it (package view) and renders a page (package page) around it. A form
// with invalid input is shown again with the problem beside each field; a valid one redirects,
// so that reloading repeats nothing.
//
// An authorization: authorize starts it and redirects to the page of its departure, which sends
// the browser on; a form must not lead to another host under the Content-Security-Policy.
// callback finishes it and shows the result, which never contains a token.
package web
