// Package newest keeps, in a small SQLite file beside the journal, the newest token set
// of every rotating grant that this replica has received. A database that was restored
// from a backup, or a standby that lagged, holds an older one whose refresh token is
// spent; sending it can end the grant. So the row is compared with this file before a
// refresh token is spent, and brought forward if it is behind.
//
// Put saves an entry, durable when it returns, before the outcome is saved in the
// database; entries of many renewals share one fsync (queue.go). Newest reads one.
// Entries are sealed, each for its connection, lineage and generation, and bounded in
// bytes: the least recently used go first. A damaged file is moved aside and recreated
// (file.go). The file also keeps small marks of progress (marks.go) and withdrawals, so
// that a restore does not undo them unnoticed (withdrawals.go).
package newest
