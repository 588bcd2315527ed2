// Package authdb reads and writes what comes before a grant: authorizations that were
// started, links to authorize a connection, and grants that wait for a decision.
package authdb
