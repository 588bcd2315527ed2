// Package plugins has the acts on plugins, their packages and the keys that sign them.
// Package installer does the work; who may do each act is checked here, and it is recorded
// with its outcome (package act). Pages and API only translate.
//
// Acts that change rows are one transaction with their record, and this replica follows
// after the commit. To enable a package and to roll back start its processes first: they
// are recorded when they begin, and when it is known how they went.
package plugins
