// Package authority is an authorization server that judges its clients. It has a
// token endpoint for each kind of rotation that the provider contract knows, ends
// a family when a spent refresh token comes back, keeps a log of every token
// request, and says afterwards what was spent twice and which grants are lost.
//
// The walk: authorize.go opens a family for whoever asks, without a page.
// token.go exchanges the code and renews; ledger.go decides, in one step, what a
// presented refresh token is worth. fault.go lets the token endpoint fail before it
// decides, manner.go lets it stall, answer late, or lose an answer: what it has
// begun it does to the end, also when the client has gone. log.go and judge.go are
// what a test asks when everything is over.
package authority
