package taxcomkassatest

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// authorize is the page of the authorize server. Trouble with the client or its
// redirect address is shown to the person, the rest goes back to the client.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	redirectParam := "redirect_uri"
	if s.config.ReadRedirectURL {
		redirectParam = "redirect_url"
	}
	redirectURI := query.Get(redirectParam)
	client, known := s.client(query.Get("client_id"))
	switch {
	case redirectURI == "":
		emulator.ShowProblem(w, r, serviceName, http.StatusBadRequest, "invalid_request", redirectParam+" is missing.")
		return
	case !known:
		emulator.ShowProblem(w, r, serviceName, http.StatusBadRequest, "unauthorized_client", "The client_id is unknown.")
		return
	case !slices.Contains(client.RedirectURIs, redirectURI):
		emulator.ShowProblem(w, r, serviceName, http.StatusBadRequest, "unauthorized_client",
			"The redirect address is not the one that was registered: "+redirectURI)
		return
	case query.Get("response_type") != "code":
		s.sendBack(w, r, redirectURI, url.Values{"error": {"unsupported_response_type"}})
		return
	case query.Get("scope") != onlyScope:
		s.sendBack(w, r, redirectURI, url.Values{"error": {"invalid_scope"}})
		return
	}
	consent, decided := s.config.Accounts.Ask(w, r, emulator.Question{
		Service: serviceName, App: client.Name, Scopes: emulator.FixedScopes([]string{onlyScope}),
	})
	switch {
	case !decided:
	case !consent.Allowed:
		s.sendBack(w, r, redirectURI, url.Values{"error": {"access_denied"}})
	default:
		query.Set("redirect_uri", redirectURI)
		grant := s.Open(emulator.Grant{
			ClientID: client.ClientID, Account: consent.Account, Scopes: consent.Scopes, Request: query,
		})
		code := emulator.MintHex(16)
		s.Issue(emulator.Code, code, s.config.CodeTTL, grant.ID)
		emulator.NoteIssued(r, emulator.Code, code)
		s.sendBack(w, r, redirectURI, url.Values{"code": {code}})
	}
}

// sendBack redirects to the client, with the state that it sent.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, redirectURI string, params url.Values) {
	if code := params.Get("error"); code != "" {
		emulator.NoteResult(r, code)
	}
	if state := r.URL.Query().Get("state"); state != "" && !s.config.DropState {
		params.Set("state", state)
	}
	emulator.RedirectWith(w, r, redirectURI, params)
}
