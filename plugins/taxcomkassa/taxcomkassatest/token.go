package taxcomkassatest

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// tokenReply is the answer of the token endpoint. There is no refresh token.
type tokenReply struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"`
	TokenType   string `json:"token_type"`
}

// token is the endpoint where codes are spent.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		refuse(w, r, "invalid_request", 0)
		return
	}
	id, secret := s.credentials(r)
	client, ok := s.client(id)
	if !ok || secret != client.ClientSecret {
		refuse(w, r, "invalid_client", 0)
		return
	}
	if r.PostForm.Get("grant_type") != "authorization_code" {
		refuse(w, r, "unsupported_grant_type", 0)
		return
	}
	grant, problem := s.spendCode(client, r.PostForm.Get("code"), r.PostForm.Get("redirect_uri"))
	if problem != "" {
		refuse(w, r, problem, 0)
		return
	}
	reply := s.issue(r, grant)
	s.TokenIssued("authorization_code")
	emulator.WriteJSON(w, http.StatusOK, reply)
}

// credentials reads client_id and client_secret from the Authorization header or,
// failing that, from the form. Nothing is percent-decoded in the header, and the
// first colon ends the client_id.
func (s *Server) credentials(r *http.Request) (id, secret string) {
	header := r.Header.Get("Authorization")
	scheme, encoded, _ := strings.Cut(header, " ")
	if s.config.AcceptRawBase64 && !strings.Contains(header, " ") {
		scheme, encoded = "Basic", header
	}
	if strings.EqualFold(scheme, "Basic") {
		if plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded)); err == nil {
			if id, secret, ok := strings.Cut(string(plain), ":"); ok {
				return id, secret
			}
		}
	}
	return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
}

// spendCode uses a code up, even if the request turns out to be wrong.
func (s *Server) spendCode(client Client, code, redirectURI string) (emulator.Grant, string) {
	grant, state := s.Spend(emulator.Code, code)
	switch {
	case state != emulator.Valid, grant.ClientID != client.ClientID:
		return emulator.Grant{}, "invalid_grant"
	case redirectURI != grant.Request.Get("redirect_uri"):
		return emulator.Grant{}, "unauthorized_client"
	}
	return grant, ""
}

func (s *Server) issue(r *http.Request, grant emulator.Grant) tokenReply {
	token := emulator.MintHex(16)
	s.Issue(emulator.Access, token, s.config.AccessTTL, grant.ID)
	emulator.NoteIssued(r, emulator.Access, token)
	return s.reply(token)
}

func (s *Server) reply(token string) tokenReply {
	return tokenReply{
		AccessToken: token, ExpiresIn: int64(s.config.AccessTTL / s.config.ExpiresInUnit), TokenType: "Bearer",
	}
}
