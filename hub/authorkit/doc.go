// Package authorkit is what an author of a plugin works with, behind
// `evergrant plugin`: a module to begin with, the conformance suite on any built
// plugin, and packages to hand to administrators. It needs no hub and no
// repository of Evergrant.
//
// # The walk of an author
//
// New (scaffold.go) writes a module whose provider compiles and passes the
// suite at once; the matching SDK lies beside it, out of this very binary. Test
// (conformance.go) runs the suite on a built plugin in any language and writes a
// report. Pack, Sign and Verify (pack.go) make, sign and check the package; what
// goes into its manifest is asked of the plugin itself, so that it cannot be
// forgotten. Watch (watch.go) builds a plugin again whenever its source changes
// and puts it into the folder of a running hub, which swaps it.
package authorkit
