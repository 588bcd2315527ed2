// Package doctor looks at a deployment and says what to mend.
//
// The walk: Checks makes the list for a configuration, in the order in which they are
// of use: what a later one needs (the key, the database) an earlier one has opened. Run
// goes through any list, so another part of the hub adds its own Check to it. Nothing
// is changed, and a hub may run beside it.
package doctor
