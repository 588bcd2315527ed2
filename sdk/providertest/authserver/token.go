package authserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// refusal is an error of RFC 6749 section 5.2.
type refusal struct {
	status            int
	code, description string
}

func invalidGrant(description string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_grant", description}
}

// tokenEndpoint counts the request, lets a fault strike, and answers.
func (s *Server) tokenEndpoint(w http.ResponseWriter, r *http.Request) {
	grantType := r.PostFormValue("grant_type")
	s.mu.Lock()
	s.requests[grantType]++
	s.mu.Unlock()
	fault, release := s.faults.strike(grantType)
	var reply map[string]any
	var no *refusal
	if fault.Late {
		reply, no = s.serveGrant(r)
	}
	if fault.Struck != nil {
		fault.Struck()
	}
	if fault.Stall {
		select {
		case <-release:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	if fault.replaces() {
		fault.write(w)
		return
	}
	if !fault.Late {
		reply, no = s.serveGrant(r)
	}
	if no != nil {
		refuse(w, no)
		return
	}
	if fault.Edit != nil {
		fault.Edit(reply)
	}
	body, _ := json.Marshal(reply) // strings and numbers always encode
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if fault.Cut {
		cut(w, body)
	}
	_, _ = w.Write(body)
}

// serveGrant does the work of a token request.
func (s *Server) serveGrant(r *http.Request) (map[string]any, *refusal) {
	if no := s.authenticate(r); no != nil {
		return nil, no
	}
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		return s.exchange(r)
	case "refresh_token":
		return s.refresh(r)
	case "client_credentials":
		f := s.ledger.open(Family{Scopes: strings.Fields(r.PostFormValue("scope"))})
		return s.mint(f, false), nil
	}
	if r.PostFormValue("grant_type") == deviceGrant {
		return s.deviceToken(r)
	}
	return nil, &refusal{http.StatusBadRequest, "unsupported_grant_type", "the grant type is not supported"}
}

// authenticate accepts the secret in the form or by HTTP Basic, percent-encoded
// (RFC 6749 section 2.3.1).
func (s *Server) authenticate(r *http.Request) *refusal {
	id, secret := r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(password)
	}
	if id != s.config.ClientID || subtle.ConstantTimeCompare([]byte(secret), []byte(s.config.ClientSecret)) != 1 {
		return &refusal{http.StatusUnauthorized, "invalid_client", "the client is unknown or its secret is wrong"}
	}
	return nil
}

func (s *Server) exchange(r *http.Request) (map[string]any, *refusal) {
	code, state := s.ledger.spend("code", r.PostFormValue("code"), s.now())
	switch {
	case state != Valid:
		return nil, invalidGrant("the authorization code is " + string(state))
	case code.redirectURI != "" && code.redirectURI != r.PostFormValue("redirect_uri"):
		return nil, invalidGrant("redirect_uri differs from the authorization request's")
	case code.challenge != "" && !verifies(r.PostFormValue("code_verifier"), code.challenge):
		return nil, invalidGrant("code_verifier does not fit code_challenge")
	}
	reply := s.mint(code.family, true)
	if slices.Contains(code.family.Scopes, "openid") {
		reply["id_token"] = s.idToken(s.issuer(r), code.family.Account, code.family.nonce)
	}
	return reply, nil
}

// verifies is RFC 7636 section 4.6 for S256.
func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:]) == challenge
}

func (s *Server) refresh(r *http.Request) (map[string]any, *refusal) {
	use := s.ledger.spend
	if s.config.KeepRefreshToken {
		use = s.ledger.look
	}
	token, state := use("refresh_token", r.PostFormValue("refresh_token"), s.now())
	if state != Valid {
		return nil, invalidGrant("the refresh token is " + string(state))
	}
	if s.config.RevokeAccessOnRotation {
		s.ledger.revokeAccess(token.family)
	}
	reply := s.mint(token.family, !s.config.KeepRefreshToken)
	if s.config.OnRotated != nil {
		s.config.OnRotated()
	}
	return reply, nil
}

// mint issues the next token set of a family.
func (s *Server) mint(f *Family, withRefresh bool) map[string]any {
	now := s.now()
	reply := map[string]any{
		"access_token": s.ledger.issue(secret{kind: "access_token", family: f}, now, s.config.AccessTokenLife),
		"token_type":   "Bearer",
		"expires_in":   int64(s.config.AccessTokenLife.Seconds()),
	}
	if len(f.Scopes) > 0 {
		reply["scope"] = strings.Join(f.Scopes, " ")
	}
	if withRefresh {
		reply["refresh_token"] = s.ledger.issue(secret{kind: "refresh_token", family: f}, now, s.config.RefreshTokenLife)
	}
	return reply
}

// revoke is RFC 7009: any token of a family ends all of it.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if no := s.authenticate(r); no != nil {
		refuse(w, no)
		return
	}
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	if token, ok := s.ledger.secrets[r.PostFormValue("token")]; ok && token.kind != "code" {
		s.ledger.revoke(token.family)
	}
	w.WriteHeader(http.StatusOK) // also for a token that is unknown
}

func refuse(w http.ResponseWriter, no *refusal) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if no.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
	}
	w.WriteHeader(no.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": no.code, "error_description": no.description})
}
