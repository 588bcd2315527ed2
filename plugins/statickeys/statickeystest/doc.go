// Package statickeystest emulates a service whose API takes a key in a header: its owner
// makes keys with an end, and an address answers whether a key works.
package statickeystest
