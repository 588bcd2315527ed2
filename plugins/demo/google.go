package demo

import (
	"github.com/evergrant/evergrant/plugins/google/googletest"
)

func addGoogle(w *World) error {
	const clientID = "240701360-evergrant.apps.googleusercontent.com"
	server := googletest.New(googletest.Config{AccessTTL: w.config.AccessTTL, CodeTTL: w.config.CodeTTL})
	client := googletest.Client{ClientID: clientID, ClientSecret: w.secret(clientID), Name: "Evergrant"}
	server.RegisterClient(client)
	if err := server.Start(w.address()); err != nil {
		return err
	}
	w.add(&Service{
		Provider: "google-calendar", Name: "demo-google", Title: "Google Calendar — demo",
		ClientID: client.ClientID, ClientSecret: client.ClientSecret, Address: server.URL,
		Scopes:  []string{"https://www.googleapis.com/auth/calendar"},
		Options: map[string]any{"base_url": server.URL},
		Register: func(redirectURI string) {
			client.RedirectURIs = []string{redirectURI}
			server.RegisterClient(client)
		},
		TokenState: func(token string) string { return string(server.TokenState(token)) },
		Spent:      server.Spent, SetOnToken: server.SetOnToken,
		grants: server,
		api:    bearer(server.URL + "/calendar/v3/users/me/calendarList"),
	}, server.Close)
	return nil
}
