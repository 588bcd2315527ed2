package demo

import (
	"net/http"
	"time"

	"github.com/evergrant/evergrant/plugins/logins/loginstest"
	"github.com/evergrant/evergrant/plugins/statickeys/statickeystest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// addMore adds a service that nobody authorizes in a browser.
func (w *World) addMore(s *Service, stop func() error) {
	s.Register, s.Spent, s.SetOnToken = func(string) {}, func() int { return 0 }, func(func(string)) {}
	w.More = append(w.More, s)
	w.closes = append(w.closes, stop)
}

// addClientCredentials adds an authorization server that gives an application tokens of its
// own.
func addClientCredentials(w *World) error {
	const clientID = "evergrant-robot"
	server := authserver.New(authserver.Config{ClientID: clientID, ClientSecret: w.secret(clientID), AccessTokenLife: w.config.AccessTTL})
	address, err := server.Start(w.address())
	if err != nil {
		return err
	}
	w.addMore(&Service{
		Provider: "oauth2", Grant: "client_credentials", Name: "demo-robot", Title: "OAuth 2.0 client credentials — demo",
		ClientID: clientID, ClientSecret: w.secret(clientID), Address: address,
		Scopes: []string{"reports"}, Options: map[string]any{"token_endpoint": address + "/token", "grants": "client_credentials"},
		TokenState: func(token string) string { return string(server.TokenState(token)) },
		grants:     server, api: bearer(address + "/userinfo"),
	}, server.Close)
	return nil
}

// addDevice adds an authorization server whose people enter a code on another device.
func addDevice(w *World) error {
	const clientID = "evergrant-tv"
	server := authserver.New(authserver.Config{ClientID: clientID, ClientSecret: w.secret(clientID), AccessTokenLife: w.config.AccessTTL, DeviceInterval: time.Second})
	address, err := server.Start(w.address())
	if err != nil {
		return err
	}
	w.addMore(&Service{
		Provider: "oauth2", Grant: "device_code", Name: "demo-device", Title: "OAuth 2.0 device code — demo",
		ClientID: clientID, ClientSecret: w.secret(clientID), Address: address,
		Scopes: []string{"openid", "offline_access"}, Options: map[string]any{"issuer": address, "grants": "device_code"},
		TokenState: func(token string) string { return string(server.TokenState(token)) },
		grants:     server, api: bearer(address + "/userinfo"),
	}, server.Close)
	return nil
}

// addLogins adds Taxcom-Kassa's API with an account.
func addLogins(w *World) error {
	password := w.secret("taxcom-login")
	server := loginstest.New("kassa@example.test", password)
	server.IntegratorID = w.secret("integrator")
	address, err := server.Start(w.address())
	if err != nil {
		return err
	}
	w.addMore(&Service{
		Provider: "taxcom-login", Grant: "login", Name: "demo-taxcom-login", Title: "Такском-Касса по логину — демо", Address: address,
		Options:    map[string]any{"server": address, "integrator_id": server.IntegratorID},
		Fields:     map[string]any{"login": "kassa@example.test", "password": password},
		TokenState: server.State, grants: server, api: header(address+"/API/v2/KKTList", "Session-Token"),
	}, server.Close)
	return nil
}

// addStaticKeys adds a service with a key of 30 days.
func addStaticKeys(w *World) error {
	const life = 30 * 24 * time.Hour
	key := w.secret("static-key")
	server := statickeystest.New()
	server.Accept(key, life)
	address, err := server.Start(w.address())
	if err != nil {
		return err
	}
	w.addMore(&Service{
		Provider: "api-key", Grant: "static", Name: "demo-key", Title: "API key — demo", Address: address,
		Options: map[string]any{"header": statickeystest.Header, "check_url": address + "/me", "api_base_url": address},
		Fields:  map[string]any{"key": key}, Life: life,
		TokenState: server.State, grants: server, api: header(address+"/me", statickeystest.Header),
	}, server.Close)
	return nil
}

// header builds a GET with the token in a header of its own.
func header(address, name string) func(string) (*http.Request, error) {
	return func(token string) (*http.Request, error) {
		req, err := http.NewRequest(http.MethodGet, address, nil)
		if err == nil {
			req.Header.Set(name, token)
		}
		return req, err
	}
}
