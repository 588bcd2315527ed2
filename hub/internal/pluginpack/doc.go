// Package pluginpack is the file in which plugins travel: a compressed archive
// with a manifest, the manifest's signature, and the files that the manifest
// names. It depends neither on the hub nor on running plugins, so the author's commands
// use it as well.
//
// # The walk of a package
//
// An author's build becomes a package by Write (write.go), which makes the
// manifest's checksums, and is signed by Sign (sign.go) with a minisign key: the
// signature covers the manifest, and its trusted comment repeats name, version
// and the manifest's checksum. The other files are covered by their checksums in
// the manifest.
//
// Unpack (unpack.go) trusts nothing: it bounds every size, refuses whatever is no
// plain file in its place, compares every file with the manifest, refuses files
// that the manifest does not list, and asks the entry's own header whether it is
// a program for the system that the manifest says (machine.go). What it refuses
// leaves nothing behind. Whose signature counts is asked of Keys.
package pluginpack
