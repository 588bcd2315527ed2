package googletest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/plugins/emulator"
)

const authorizePath = "/o/oauth2/v2/auth"

// authorize is the consent page.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	client, known := s.client(query.Get("client_id"))
	scopes, scopesKnown := parseScopes(query.Get("scope"))
	if code, detail := objection(query, client, known, scopesKnown); code != "" {
		status := http.StatusBadRequest
		if code == "invalid_client" {
			status = http.StatusUnauthorized
		}
		emulator.ShowProblem(w, r, serviceName, status, code, detail)
		return
	}
	if slices.Contains(strings.Fields(query.Get("prompt")), "none") {
		s.sendBack(w, r, url.Values{"error": {"interaction_required"}})
		return
	}
	consent, decided := s.config.Accounts.Ask(w, r, emulator.Question{
		Service: serviceName, App: client.Name, Scopes: boxes(scopes),
	})
	switch {
	case !decided:
	case !consent.Allowed, len(consent.Scopes) == 0:
		s.sendBack(w, r, url.Values{"error": {"access_denied"}})
	default:
		s.sendCode(w, r, client, consent)
	}
}

// objection says what the person is shown instead of the consent page, or nothing.
func objection(query url.Values, client Client, known, scopesKnown bool) (code, detail string) {
	method := query.Get("code_challenge_method")
	switch {
	case !known:
		return "invalid_client", "The OAuth client was not found."
	case !slices.Contains(client.RedirectURIs, query.Get("redirect_uri")):
		return "redirect_uri_mismatch", "The redirect address is not registered for this client: " + query.Get("redirect_uri")
	case query.Get("response_type") != "code":
		return "unsupported_response_type", "Only response_type=code is served here."
	case !scopesKnown:
		return "invalid_scope", "Some requested scopes are missing or unknown."
	case !slices.Contains([]string{"", "plain", "S256"}, method):
		return "invalid_request", "code_challenge_method is plain or S256."
	case method != "" && query.Get("code_challenge") == "":
		return "invalid_request", "code_challenge_method came without code_challenge."
	case !slices.Contains([]string{"", "online", "offline"}, query.Get("access_type")):
		return "invalid_request", "access_type is online or offline."
	}
	return "", ""
}

func (s *Server) sendCode(w http.ResponseWriter, r *http.Request, client Client, consent emulator.Consent) {
	query := r.URL.Query()
	include := query.Get("include_granted_scopes") == "true"
	grant := s.Open(emulator.Grant{
		ClientID: client.ClientID, Account: consent.Account, Request: query,
		Scopes: s.remember(client.ClientID, consent.Account, consent.Scopes, include),
	})
	code := "4/0A" + emulator.MintURL(48)
	s.Issue(emulator.Code, code, s.config.CodeTTL, grant.ID)
	emulator.NoteIssued(r, emulator.Code, code)
	params := url.Values{"code": {code}, "scope": {strings.Join(grant.Scopes, " ")}, "authuser": {"0"}}
	if prompt := query.Get("prompt"); prompt != "" {
		params.Set("prompt", prompt)
	}
	s.sendBack(w, r, params)
}

// sendBack redirects to the client, with the state that it sent.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, params url.Values) {
	if code := params.Get("error"); code != "" {
		emulator.NoteResult(r, code)
	}
	query := r.URL.Query()
	if state := query.Get("state"); state != "" {
		params.Set("state", state)
	}
	emulator.RedirectWith(w, r, query.Get("redirect_uri"), params)
}
