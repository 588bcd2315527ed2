// Package incident watches over what stands in the way of many connections at
// once. Renewals write down their cause (connection.CauseOf); the watch groups
// them by it, soon after something has changed, so that 47 connections with one
// wrong secret are one incident, and says when an incident opens and when the
// last connection has recovered. Every replica watches; each change is made by
// one of them.
package incident
