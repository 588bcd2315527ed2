// Package incident tracks what prevents the renewal of many connections at once. Renewals
// record their cause (connection.CauseOf); Watch groups connections by it, shortly after
// a change, so that 47 connections with one wrong secret are one incident, and reports
// when an incident opens and when the last connection has recovered. Every replica runs
// it; each change is made by one of them.
package incident
