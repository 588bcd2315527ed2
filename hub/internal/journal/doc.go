// Package journal keeps the replies of token endpoints in a local append-only
// file until their outcome is saved. A reply is sealed and durable before the
// plugin that asked for it sees it, so neither the death of the plugin, nor of
// the hub, nor of the machine loses a rotated refresh token.
//
// The walk: Begin opens an operation. Append adds the reply of a step and
// returns when it is on the disk; appends of many operations share one fsync.
// Done closes the operation. Open reads the file back, drops what is done, and
// Pending names the operations whose outcome is not known to be saved.
//
// A file is used by one hub at a time: it is locked while open, and its folder
// holds the name of the replica that it belongs to.
package journal
