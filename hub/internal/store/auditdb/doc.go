// Package auditdb appends audit records to a chain that shows any later change, verifies
// and prunes it, and derives from the chain's key what all hubs of a database share.
package auditdb
