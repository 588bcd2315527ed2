// Package grants carries out what leads to a grant: an authorization that is started by a
// person, a link or a visitor of the front page, and its callback. Each act is one method
// that checks who may do it, does it, and records it with its outcome.
//
// Who follows a link has no account here. Their records say as much of them as is known:
// who made the link, the address, the browser, and the account at the service. A request
// to a callback that belongs to no authorization is no act: anybody can send any number,
// so it is in the hub's log alone.
package grants
