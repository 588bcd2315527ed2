// Package keys has the acts on API keys: to create, rotate and revoke them, by a person,
// by another key or by a command on the hub's own machine. Each is checked, done and
// recorded here (package act); pages and API only translate.
package keys
