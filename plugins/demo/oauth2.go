package demo

import (
	"sync"

	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

func addOAuth2(w *World) error {
	const clientID = "evergrant-demo"
	var mu sync.Mutex
	var onToken func(string)
	server := authserver.New(authserver.Config{
		ClientID: clientID, ClientSecret: w.secret(clientID), RequirePKCE: true,
		AccessTokenLife: w.config.AccessTTL, CodeLife: w.config.CodeTTL,
		OnRotated: func() {
			mu.Lock()
			hook := onToken
			mu.Unlock()
			if hook != nil {
				hook("refresh_token")
			}
		},
	})
	address, err := server.Start(w.address())
	if err != nil {
		return err
	}
	w.add(&Service{
		Provider: "oauth2", Name: "demo-oauth2", Title: "OAuth 2.0 — demo",
		ClientID: clientID, ClientSecret: w.secret(clientID), Address: address,
		Scopes: []string{"openid", "email", "offline_access"}, Options: map[string]any{"issuer": address},
		Register:   func(string) {}, // takes any redirect URI
		TokenState: func(token string) string { return string(server.TokenState(token)) },
		Spent:      server.DoubleSpent,
		SetOnToken: func(hook func(string)) {
			mu.Lock()
			defer mu.Unlock()
			onToken = hook
		},
		grants: server,
		api:    bearer(address + "/userinfo"),
	}, server.Close)
	return nil
}
