// Package scheduler finds what is due. It claims due connections in batches and
// hands them to tokensource, sleeps until the next due time, and cleans up what
// has run out. It holds no state: the schedule is a column of each connection.
package scheduler
