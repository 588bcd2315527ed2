// Package definitions keeps the definitions that are added to a running hub: documents that
// describe a provider, handed to the plugin that is made of them.
//
// # The walk
//
// A text is checked with the reader that the plugin has too (check.go): each problem has its
// line. What is taken becomes a version in the database, of the watched folder (folder.go)
// or of the web hub. A slot per name says which version is served, and which one is served
// beside it for a try, as a draft under a provider name of its own.
//
// Every change of a slot goes through Move (move.go): the plugin is started with the new set
// beside the running one, and only if it serves all of it, and services do not lose anything
// that nobody has agreed to, is the slot written. Sync (sync.go) makes this replica serve what
// the slots say; Follow does it when another replica has changed one. The host has a new set
// take over as it has a new version of a plugin take over: what runs finishes on the old
// process, and a set that keeps failing is gone back from.
//
// List (list.go) reads what there is, with what the plugin ships.
package definitions
