// Package statsdb counts: connections by what is due and expires, renewals by the hour, the
// days on which people are needed, troubles by service and cause.
package statsdb
