package demo

import (
	"net/http"
	"time"

	"github.com/evergrant/evergrant/plugins/taxcomkassa/taxcomkassatest"
)

func addTaxcomKassa(w *World) error {
	const clientID = "evergrant-integrator"
	server := taxcomkassatest.New(taxcomkassatest.Config{
		AccessTTL: w.ttl(3600 * 1000 * time.Second), CodeTTL: w.config.CodeTTL, Prolong: true,
	})
	client := taxcomkassatest.Client{ClientID: clientID, ClientSecret: w.secret(clientID), Name: "Evergrant"}
	server.RegisterClient(client)
	if err := server.Start(w.address(), w.address()); err != nil {
		return err
	}
	w.add(&Service{
		Provider: "taxcom-kassa", Name: "demo-taxcom", Title: "Такском-Касса — демо",
		ClientID: client.ClientID, ClientSecret: client.ClientSecret, Address: server.AuthorizeServerURL,
		Options: map[string]any{
			"authorize_base": server.AuthorizeServerURL, "token_base": server.TokenServerURL,
			"prolong_url": server.TokenServerURL + "/core/connect/prolong",
		},
		Register: func(redirectURI string) {
			client.RedirectURIs = []string{redirectURI}
			server.RegisterClient(client)
		},
		TokenState: func(token string) string { return string(server.TokenState(token)) },
		Spent:      server.Spent,
		SetOnToken: server.SetOnToken,
		grants:     server,
		api: func(accessToken string) (*http.Request, error) {
			req, err := http.NewRequest(http.MethodGet, server.TokenServerURL+"/API/v2/KKTList", nil)
			if err == nil {
				req.Header.Set("Session-Token", accessToken)
			}
			return req, err
		},
	}, server.Close)
	return nil
}
