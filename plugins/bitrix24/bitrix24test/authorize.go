package bitrix24test

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// authorize is the portal's page. It reads client_id and state and nothing else.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	app, ok := s.app(query.Get("client_id"))
	if !ok {
		emulator.ShowProblem(w, r, serviceName, http.StatusBadRequest, "invalid_client",
			"No application with this client_id is installed at the portal. Compare it with the application's card.")
		return
	}
	consent, decided := s.config.Accounts.Ask(w, r, emulator.Question{
		Service: serviceName, App: app.Name, Scopes: emulator.FixedScopes(app.Scopes),
	})
	switch {
	case !decided:
	case !consent.Allowed:
		emulator.ShowProblem(w, r, serviceName, http.StatusForbidden, "access_denied",
			"You did not let the application in. The portal tells nobody; you may close this page.")
	default:
		s.sendCode(w, r, app, consent)
	}
}

func (s *Server) sendCode(w http.ResponseWriter, r *http.Request, app App, consent emulator.Consent) {
	grant := s.Open(emulator.Grant{
		ClientID: app.ClientID, Account: consent.Account, Scopes: consent.Scopes, Request: r.URL.Query(),
	})
	code := s.mint(s.config.CodeTTL)
	s.Issue(emulator.Code, code, s.config.CodeTTL, grant.ID)
	emulator.NoteIssued(r, emulator.Code, code)
	if app.RedirectURI == "" {
		emulator.ShowCode(w, r, serviceName, code)
		return
	}
	params := url.Values{
		"code": {code}, "domain": {r.Host}, "member_id": {s.config.MemberID},
		"scope": {strings.Join(grant.Scopes, ",")}, "server_domain": {host(s.AuthServerURL)},
	}
	if state := r.URL.Query().Get("state"); state != "" {
		params.Set("state", state)
	}
	emulator.RedirectWith(w, r, app.RedirectURI, params)
}

// host returns the host:port of a URL.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}
