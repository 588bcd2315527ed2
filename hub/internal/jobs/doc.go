// Package jobs runs the hub's background work that is not the renewal itself:
// clean-up, and what else is periodic. It is a small port in front of River,
// which keeps its jobs in the hub's own database, so that of any number of
// replicas one is the leader that makes periodic work due, any of them does it,
// and work whose replica died is taken up by another one.
//
// The renewal schedule is not here: it is columns of the connection's row, where
// lease, generation and due time are one truth.
//
// The walk: Start brings River's tables up to date, registers the periodic work
// and begins. Stop lets what runs finish. On PostgreSQL River has a few
// connections of its own and hears of jobs by LISTEN; on SQLite it shares the one
// connection that writes.
package jobs
