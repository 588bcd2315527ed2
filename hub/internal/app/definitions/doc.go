// Package definitions has the acts on definitions: to save one, try it as a draft, enable it,
// go back, and what a file of the watched folder brings. Package definitions below the acts
// does the work; who may do each act is checked here, and it is recorded with its outcome
// (package act). Pages and API only translate.
//
// Each of them starts a process of the plugin to see whether it serves what comes of the
// act: it is recorded when it begins, and when it is known how it went.
package definitions
