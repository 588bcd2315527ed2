// Package metrics counts what the hub does, for its own charts and for who watches
// it from outside.
//
// The walk: the parts of the hub tell of what they did by calling what they were
// given; nothing here makes them wait. Hours gathers how renewals ended and adds that
// to the database every few seconds, so that the charts of all replicas are one.
package metrics
