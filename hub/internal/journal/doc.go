// Package journal keeps the replies of token endpoints in local append-only
// files until their outcome is saved. A reply is sealed and durable before the
// plugin that asked for it sees it, so neither the death of the plugin, nor of
// the hub, nor of the machine loses a rotated refresh token.
//
// The walk: Begin opens an operation. Append adds the reply of a step and
// returns when it is on the disk; appends of many operations share one fsync.
// Done closes the operation. Open reads the files back, drops what is done, and
// Pending names the operations whose outcome is not known to be saved.
//
// The folder holds segments (segment.go, header.go) of frames (frame.go). A full
// one is followed by the next, and the oldest goes when nothing in it is pending,
// or when the little that is has been copied forward (roll.go). What cannot be
// read is skipped (scan.go), kept aside and told of (damage.go). After a failed
// write, and where the folder is gone, all that is pending is written anew
// (write.go, home.go).
//
// A folder is used by one hub at a time: it is locked while open, and holds the
// name of the replica that it belongs to.
package journal
