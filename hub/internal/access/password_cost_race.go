//go:build race

package access

// costOfHashes is what a new hash costs under the race detector, which makes argon2id some
// ten times as slow: a third of the time that the hub's tests took. Binaries of a release
// are built without it.
var costOfHashes = argonCost{time: 1, memory: 1 << 10, threads: 1}
