// Package access authenticates and authorizes people who log in to the web hub and
// processes with an API key.
//
// At the first start SetupLink makes a one-time link, which the hub
// prints; Setup spends it and makes the first administrator. Later Login counts a try in
// the database (throttle.go), waits for a place to hash in (hashing.go) and checks the
// password (argon2id). A browser in which the person was logged in (device.go) has tries
// of its own, so that others' guesses do not lock the person out.
//
// Other people come by invitation (Invite, Accept), each with a role that allows acts
// (roles.go). With a second factor (totp.go, secondfactor.go) a login needs a code after
// the password, and one can be required of all users (required.go). A passkey
// (passkeys.go, passkey_login.go) is both factors at once: the device that keeps it
// has verified its holder.
//
// CreateKey returns an API key once and stores its SHA-256,
// which is enough for 256 random bits; Authenticate looks it up by that hash.
package access
