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
// Carrier sends for real, for tests of a provider against an emulator or against
// package authserver.
package providertest
