// Package connections carries out what is done to connections: each act is one method that
// checks who may do it, does it, and records it with its outcome.
//
// Acts on rows (Add, Pause, PutBack and so on) run in one transaction with their record.
// Acts that ask a service (Renew, Revoke, Remove, Test and so on) are recorded before they
// are begun and after they have ended. Package act has the rules.
package connections
