package providertest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// acme is the provider that is tested.
func acme(address string) provider.Provider {
	return oauth.New(oauth.Config{
		Description: provider.Description{
			Name: "acme", Title: provider.Text{EN: "Acme"}, Summary: provider.Text{EN: "Parcels of Acme."}, PKCE: provider.PKCES256,
			SetupSteps: []provider.Text{{EN: "Create an application at acme.example."}},
			Rotation:   provider.Rotation{Kind: provider.RotationRotates},
			Hosts:      []provider.Host{{Pattern: address, ClientSecret: true}},
		},
		AuthURL: address + "/authorize", TokenURL: address + "/token", Auth: oauth.AuthBasic,
	})
}

// Every promise of the contract, one subtest for each.
func ExampleRun() {
	testConformance := func(t *testing.T) {
		providertest.Run(t, providertest.Config{Provider: acme("https://acme.example")})
	}
	_ = testConformance // func TestConformance of the plugin
}

// A Relay sends over the network, for tests of a provider against an emulator.
func ExampleRelay() {
	server := authserver.New(authserver.Config{ClientID: "our-client", ClientSecret: "our-secret"})
	address, err := server.Start("")
	if err != nil {
		panic(err)
	}
	defer func() { _ = server.Close() }()
	client, stop, err := providerplugin.InProcess(acme(address))
	if err != nil {
		panic(err)
	}
	defer stop()
	granted := server.Grant(authserver.DefaultAccounts()[0])
	relay := &providertest.Relay{}
	next, err := client.Refresh(context.Background(), relay, "acme", &provider.RefreshRequest{
		Call:    provider.Call{Service: provider.Service{Name: "acme", ClientID: "our-client", ClientSecret: "our-secret"}, Now: time.Now()},
		Current: provider.Token{AccessToken: granted.Access, RefreshToken: granted.Refresh},
	})
	fmt.Println(err, len(relay.Requests()), server.TokenState(next.AccessToken), server.RefreshTokenState(granted.Refresh))
	// Output: <nil> 1 valid spent
}
