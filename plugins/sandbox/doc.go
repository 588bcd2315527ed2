// Package sandbox starts the emulated services together, so that the whole main
// job can be done without an account anywhere: by `evergrant sandbox`, by
// `evergrant demo` and by tests of the hub.
//
// Each Service knows what an administrator would enter to add it, and is the
// judge of the tokens that it issued.
package sandbox
