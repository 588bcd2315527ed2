// Package restored handles a database that went back: a backup was restored, or a standby
// that lagged was promoted. Its refresh tokens may be spent, and sending one can end its
// grant. Replicas hold newer ones (package newest), each only those that it renewed
// itself.
//
// A data folder and the database each record how far they have got. Enter, at a start,
// and Look, every few seconds, compare the two (notice.go) and record a restore in the
// database, where every replica sees it. While it is open, rotating renewals are on hold,
// on all replicas and over restarts. Each replica compares its newest token sets, which
// brings connections forward, and records that it has. When all replicas of the registry
// have (awaited.go), or a bounded time is over, the hold ends, and grants that no replica
// had newer and that may have been renewed since the backup are listed as behind it: they
// stay on hold until a person decides (behind.go).
package restored
