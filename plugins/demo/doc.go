// Package demo starts the emulated services together, so that the whole main
// job can be done without an account anywhere: by `evergrant demo`, by
// `evergrant smoke-test` and by tests of the hub.
//
// Each Service holds what an administrator would enter to add it, and is the
// judge of the tokens that it issued.
package demo
