// Package emulator holds what the emulators of OAuth services have in common.
// An emulator stands in for a service in tests, in the smoke test and in `evergrant demo`:
// it behaves as the service is documented to behave, errors and lifetimes
// included, on a loopback address and without an account anywhere.
//
// # The walk
//
// A request enters through Front, which notes it in the log (fingerprints only,
// never a secret) and lets a Fault strike if one is set. The service's own
// handler asks the person with Directory.Ask, which shows the login-and-consent
// page until there is a decision. The decision becomes a Grant in the Ledger,
// and the Ledger has every code and token that was ever issued: what is valid,
// expired, revoked or spent.
//
// The Ledger is also the judge. A test asks TokenState whether the token that a
// process was served would really be accepted, and Spent whether a refresh token
// that was good once was presented again.
//
// A Person plays the one who logs in, over plain HTTP and without a browser.
//
// The emulators are bitrix24test, taxcomkassatest and googletest. Those of logins and keys,
// where nobody logs in at a page, are loginstest and statickeystest and need none of this.
package emulator
