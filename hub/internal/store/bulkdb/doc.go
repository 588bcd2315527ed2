// Package bulkdb reads and writes runs of one act on many connections.
package bulkdb
