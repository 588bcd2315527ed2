package demo

import (
	"github.com/evergrant/evergrant/plugins/bitrix24/bitrix24test"
)

func addBitrix24(w *World) error {
	const clientID = "local.6501f3a2b7c9d1.24680135"
	server := bitrix24test.New(bitrix24test.Config{AccessTTL: w.config.AccessTTL, CodeTTL: w.config.CodeTTL})
	app := bitrix24test.App{ClientID: clientID, ClientSecret: w.secret(clientID), Name: "Evergrant"}
	server.RegisterApp(app)
	if err := server.Start(w.address(), w.address()); err != nil {
		return err
	}
	w.add(&Service{
		Provider: "bitrix24", Name: "demo-bitrix24", Title: "Битрикс24 — демо",
		ClientID: app.ClientID, ClientSecret: app.ClientSecret, Address: server.PortalURL,
		Options: map[string]any{"portal": server.PortalURL, "auth_server": server.AuthServerURL},
		Register: func(redirectURI string) {
			app.RedirectURI = redirectURI
			server.RegisterApp(app)
		},
		TokenState: func(token string) string { return string(server.TokenState(token)) },
		Spent:      server.Spent, SetOnToken: server.SetOnToken,
		grants: server,
		api:    bearer(server.PortalURL + "/rest/user.current"),
	}, server.Close)
	return nil
}
