// Package identity keeps a running hub the only one of its name: a replica (the id of a data
// folder) and an epoch (the number of its start).
//
// The walk: Enter takes the next epoch by one compare-and-set on the table of replicas, and
// notes it in the folder. Whoever finds that table and folder do not fit says so: a newer
// epoch means that the folder is a copy or an older one, so the hub goes on as a new replica
// (copied.go); an older one means that the database went back (back.go). What earlier runs
// left is taken up where they are over for sure (adopt.go). Run gives a sign of life every
// few seconds; one that is refused means that this run was fenced, and it goes on under a
// new identity with what it has in flight.
package identity
