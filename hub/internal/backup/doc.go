// Package backup writes, proves and restores backups of a hub's database.
//
// The walk: Write reads one snapshot of the database while hubs run and writes every row,
// table by table, and the newest token sets of this machine's data folder (write.go).
// What a file holds is the same for SQLite and PostgreSQL (records.go), so a backup of one
// restores to the other. A file is compressed and sealed in chunks with a key of its own,
// which the hub's key seals; its end is authenticated, so that truncation is noticed
// (stream.go). Restore reads a whole file before it touches anything, fills the new
// database beside the old one, and puts it into place at once (restore.go). Verify
// restores into a throw-away database and opens every sealed value (verify.go).
// Save writes into a folder under a name of the time, and Prune keeps the newest
// (folder.go).
package backup
