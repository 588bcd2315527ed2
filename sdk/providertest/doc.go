// Package providertest proves that a provider keeps the contract of package
// provider. Every plugin's tests call Run:
//
//	func TestContract(t *testing.T) {
//		providertest.Run(t, providertest.Config{
//			Provider: acme.Provider(),
//			Service:  provider.Service{Scopes: []string{"parcels"}},
//			Replies:  os.DirFS("testdata/replies"),
//		})
//	}
//
// # The walk
//
// The provider is served over real gRPC, in this process or as a built binary
// (serve.go). No request leaves the process: the suite carries them as the hub
// does, answers them itself, and judges what it was asked to send (script.go).
// Each check is a promise of the contract (checks.go names them all) and returns
// an error that says what was promised and what happened. Replies that were
// recorded from the service itself are files with a header that says what they
// mean (replies.go).
//
// # Recorded replies
//
// A file is a header of our own, an empty line, and a raw HTTP response (one for
// each request of the operation, parted by a line of four hyphens). "#" begins a
// comment.
//
//	operation: refresh
//	expect: reauthorization_required
//	expect-code: invalid_grant
//
//	HTTP/1.1 400 Bad Request
//	Content-Type: application/json
//
//	{"error":"invalid_grant"}
//
// The operation is exchange if not said, else refresh, client_credentials,
// password, device_authorization, device_token, revoke or identify. Expected is
// token, account, ok, or the name of a provider.Kind. A Content-Length that is
// larger than the body is a reply that was cut off. Further fields:
//
//	expect-code, expect-option       Error.Code, Error.Option
//	expect-retry-after               a duration: 120s
//	expect-expires-in                a duration, or absent
//	expect-refresh-expires-in        a duration, or absent
//	expect-refresh-token             present or absent
//	expect-scopes                    joined by spaces, or absent
//	expect-extra                     names, or name=value, joined by commas
//	expect-account                   Account.ID
//	option.NAME                      sets an option of the service
//	param.NAME                       sets a parameter of the callback
//	extra.NAME                       sets an extra field of the current token
//
// Relay sends for real, for tests of a provider against an emulator or against
// package authserver.
package providertest
