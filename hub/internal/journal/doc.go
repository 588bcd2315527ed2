// Package journal keeps the replies of token endpoints in local append-only files until
// their outcome is saved. A reply is sealed and durable before the plugin that requested
// it receives it, so that no crash of the plugin, the hub or the machine loses a rotated
// refresh token.
//
// Begin opens an operation. Append adds the reply of a step and returns when it is on
// disk; appends of many operations share one fsync. Done closes the operation. Open reads
// the files back and drops completed operations, and Pending returns the operations whose
// outcome is not known to be saved.
//
// The folder holds segments (segment.go, header.go) of frames (frame.go). A full segment
// is followed by the next, and the oldest is removed when nothing in it is pending, or
// when the little that is has been copied forward (roll.go). Unreadable data is skipped
// (scan.go), moved aside and reported (damage.go). After a failed write, and when the
// folder is gone, all that is pending is written anew (write.go, home.go).
//
// A folder is used by one hub at a time: it is locked while open, and holds the name of
// the replica that it belongs to.
package journal
