// Package replicadb reads and writes the runs of hubs (replicas and their epochs), what a
// restore of the database has set back, and what was withdrawn since a backup.
package replicadb
