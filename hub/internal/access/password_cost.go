//go:build !race

package access

// costOfHashes is what a new hash costs.
var costOfHashes = recommended
