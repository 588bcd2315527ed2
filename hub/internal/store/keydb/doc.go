// Package keydb reads and writes the keys that the hub keeps for services. Private parts are
// sealed; nothing is cached, because a key is read once for each request that uses it.
package keydb
