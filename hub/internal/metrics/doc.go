// Package metrics counts what the hub does, for its own charts and for who watches
// it from outside.
//
// The walk: the parts of the hub tell of what they did by calling what they were
// given; nothing here makes them wait. HourlyStats counts how renewals ended and adds that
// to the database every few seconds, so that the charts of all replicas are one.
// Counts does the same for Prometheus, in memory alone. Stats and Parts are asked
// only when they are scraped: Stats reads the database, at most once in ten
// seconds, Parts looks at what runs in this process. A Registry ties them and takes
// collectors of other packages.
package metrics
