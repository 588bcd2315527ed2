package authserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// authorize shows the page to log in and to decide on.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	if s.checkRequest(w, r) {
		s.showPage(w, r, "")
	}
}

// decide takes the person's answer and sends the browser back.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	if !s.checkRequest(w, r) {
		return
	}
	if r.PostFormValue("decision") == "deny" {
		s.answer(w, r, url.Values{"error": {"access_denied"}, "error_description": {"the person refused"}})
		return
	}
	i := slices.IndexFunc(s.config.Accounts, func(a Account) bool {
		return strings.EqualFold(a.Login, strings.TrimSpace(r.PostFormValue("login"))) && a.Password == r.PostFormValue("password")
	})
	if i < 0 {
		s.showPage(w, r, "The login or the password is wrong.")
		return
	}
	q := r.URL.Query()
	f := s.ledger.open(Family{Account: s.config.Accounts[i], Scopes: strings.Fields(q.Get("scope")), nonce: q.Get("nonce")})
	code := s.ledger.issue(secret{
		kind: "code", family: f, redirectURI: q.Get("redirect_uri"), challenge: q.Get("code_challenge"),
	}, s.now(), s.config.CodeLife)
	s.answer(w, r, url.Values{"code": {code}})
}

// checkRequest refuses what RFC 6749 section 4.1.2.1 refuses: without a
// trustworthy client and redirect URI on a page, everything else by redirect.
func (s *Server) checkRequest(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	redirect, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case q.Get("client_id") != s.config.ClientID:
		http.Error(w, "There is no such client_id here.", http.StatusBadRequest)
		return false
	case err != nil || redirect.Host == "" || (redirect.Scheme != "https" && redirect.Scheme != "http") ||
		(len(s.config.RedirectURIs) > 0 && !slices.Contains(s.config.RedirectURIs, q.Get("redirect_uri"))):
		http.Error(w, "The redirect_uri is not registered for this client.", http.StatusBadRequest)
		return false
	}
	var problem, description string
	switch challenge := q.Get("code_challenge"); {
	case q.Get("response_type") != "code":
		problem, description = "unsupported_response_type", "response_type must be code"
	case challenge == "" && s.config.RequirePKCE:
		problem, description = "invalid_request", "code_challenge is required"
	case challenge != "" && q.Get("code_challenge_method") != "S256":
		problem, description = "invalid_request", "code_challenge_method must be S256"
	default:
		return true
	}
	s.answer(w, r, url.Values{"error": {problem}, "error_description": {description}})
	return false
}

// answer redirects to the client with params, state and iss added.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, params url.Values) {
	q := r.URL.Query()
	target, err := url.Parse(q.Get("redirect_uri"))
	if err != nil { // checked before; a broken address must go nowhere
		http.Error(w, "The redirect_uri is not an address.", http.StatusBadRequest)
		return
	}
	if q.Has("state") {
		params.Set("state", q.Get("state"))
	}
	if !s.config.WithoutIss {
		params.Set("iss", s.issuer(r))
	}
	query := target.Query()
	for name := range params {
		query.Set(name, params.Get(name))
	}
	target.RawQuery = query.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", target.String())
	w.WriteHeader(http.StatusFound)
}
