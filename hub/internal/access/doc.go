// Package access decides who may do what: people who log in to the web hub and
// processes that come with an API key.
//
// The walk of the first start: SetupLink makes a one-time link, which the hub
// prints; Setup spends it and makes the first administrator. Later Login checks
// a password (argon2id, at most a few at a time, slower after failures).
//
// Other people come by invitation (Invite, Accept), each with a role that allows acts
// (roles.go). Whoever has a second factor (totp.go, secondfactor.go) shows a code
// after the password, and everybody can be asked for one (required.go). A passkey
// (passkeys.go, passkey_login.go) is both factors at once: the device that keeps it
// has checked its holder.
//
// The walk of an API key: CreateKey returns the key once and stores its SHA-256,
// which is enough for 256 random bits; Authenticate looks it up by that hash.
package access
