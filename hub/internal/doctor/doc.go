// Package doctor examines a deployment and reports what to fix.
//
// Checks makes the list for a configuration, in the order of use: what a later check
// needs (the encryption key, the database) an earlier one has opened. Run executes any
// list, so another part of the hub adds its own Check to it. Nothing is changed, and a
// hub may run beside it.
package doctor
