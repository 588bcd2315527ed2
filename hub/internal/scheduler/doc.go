// Package scheduler finds what is due. It claims due connections in batches and
// hands them to tokensource, and sleeps until the next due time. It holds no
// state: the schedule is a column of each connection.
package scheduler
