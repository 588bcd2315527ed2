// Package people has the acts of people: how they come, log in and show once more that it
// is them, what they change about themselves, and what those do who manage others. Each
// is checked, done and recorded here (package act); pages only translate.
//
// Whoever logs in is not known before: the caller is then a link (act.Link) of the kind
// person without a name, and the record of a login that succeeds names the person. Of a
// login that is refused the record names only a login that somebody has, for what else is
// typed there may be a password. Tries that the throttle turns away, and requests with a
// link or a callback that nobody was given, leave no record: nothing was checked, and
// strangers could fill the record with them.
package people
