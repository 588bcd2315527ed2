// Package newest keeps, in a small SQLite file beside the journal, the newest token set
// of every rotating grant that this replica has received. A database that was restored
// from a backup, or a standby that lagged, knows an older one whose refresh token is
// spent; sending it can end the grant. So the row is compared with this file before a
// refresh token is spent, and brought forward if it is behind.
//
// The walk: Put saves an entry, durable when it returns, before the outcome goes to the
// database; entries of many renewals share one fsync (queue.go). Newest reads one.
// Entries are sealed, each for its connection, lineage and generation, and bounded in
// bytes: those that were not touched longest go first. A damaged file is kept aside and a
// new one begun (file.go). The file also keeps small marks of progress (marks.go) and
// what was withdrawn, so that a restore does not bring it back unseen (withdrawals.go).
package newest
