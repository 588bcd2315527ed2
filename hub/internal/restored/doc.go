// Package restored sees to a database that went back: a backup was restored, or a standby
// that lagged was promoted. Its refresh tokens may be spent, and sending one can end its
// grant. Replicas know newer ones (package newest), each only those that it renewed itself.
//
// The walk: a data folder and the database each keep how far they have got. Enter, at a
// start, and Look, every few seconds, compare the two (notice.go) and note a restore in the
// database, where every replica sees it. While it is open, renewals that rotate are held,
// on all replicas and over restarts. Each replica compares its newest token sets, which
// brings connections forward, and notes that it has. When all that the registry knows have
// (awaited.go), or a bounded time is over, the hold ends, and what nobody had newer and may
// have been renewed since the backup is listed as behind it: it stays held until a person
// decides (behind.go).
package restored
