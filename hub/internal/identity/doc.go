// Package identity keeps a running hub the only one of its name: a replica (the id of a
// data folder) and an epoch (the number of its start).
//
// Enter takes the next epoch by one compare-and-set on the table of replicas, and records
// it in the folder. If table and folder do not match, a newer epoch means that the folder
// is a copy or outdated, so the hub continues as a new replica (copied.go); an older one
// means that the database went back (back.go). Open intents of earlier runs are adopted
// once those runs are certain to be over (adopt.go). Run sends a heartbeat every few
// seconds; a refused one means that this run was fenced, and it continues under a new
// identity with its renewals in flight.
package identity
