// Package data has the acts on the hub's data as a whole: a data folder that is taken for
// the only one, the copy of the key, the chain of audit records, and what a restore of the
// database has left to decide. Each is checked, done and recorded here (package act);
// pages, API and the hub's periodic work only translate.
package data
