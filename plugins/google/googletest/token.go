package googletest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

const tokenPath = "/token"

// tokenReply is the answer of the token endpoint. RefreshExpiresIn comes with grants
// that end at a time known beforehand.
type tokenReply struct {
	AccessToken      string `json:"access_token"`
	ExpiresIn        int64  `json:"expires_in"`
	RefreshToken     string `json:"refresh_token,omitempty"`
	RefreshExpiresIn int64  `json:"refresh_token_expires_in,omitempty"`
	Scope            string `json:"scope"`
	TokenType        string `json:"token_type"`
	IDToken          string `json:"id_token,omitempty"`
}

// token is the endpoint where codes are spent and refresh tokens used. Client
// credentials are fields of the form.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	client, known := s.client(r.PostForm.Get("client_id"))
	if !known {
		refuse(w, r, "invalid_client", 0)
		return
	}
	if r.PostForm.Get("client_secret") != client.ClientSecret {
		refuseWith(w, r, "invalid_client", "Unauthorized", 0)
		return
	}
	var reply tokenReply
	var code, detail string
	grantType := r.PostForm.Get("grant_type")
	switch grantType {
	case "authorization_code":
		reply, code, detail = s.exchange(r, client)
	case "refresh_token":
		reply, code, detail = s.refresh(r, client)
	default:
		code, detail = "unsupported_grant_type", "Invalid grant_type: "+grantType
	}
	if code != "" {
		refuseWith(w, r, code, detail, 0)
		return
	}
	s.TokenIssued(grantType)
	emulator.WriteJSON(w, http.StatusOK, reply)
}

func (s *Server) exchange(r *http.Request, client Client) (reply tokenReply, code, detail string) {
	form := r.PostForm
	if form.Get("code") == "" {
		return reply, "invalid_request", "Missing required parameter: code"
	}
	grant, state := s.Spend(emulator.Code, form.Get("code"))
	switch {
	case state == emulator.Unknown, state == emulator.Valid && grant.ClientID != client.ClientID:
		return reply, "invalid_grant", "Malformed auth code."
	case state != emulator.Valid:
		return reply, "invalid_grant", "Bad Request"
	case form.Get("redirect_uri") != grant.Request.Get("redirect_uri"):
		return reply, "redirect_uri_mismatch", "Bad Request"
	}
	if detail := unproven(grant.Request, form.Get("code_verifier")); detail != "" {
		return reply, "invalid_grant", detail
	}
	reply = s.issue(r, grant)
	if s.handsOutRefresh(grant) {
		reply.RefreshToken = "1//0" + emulator.MintURL(64)
		s.Issue(emulator.Refresh, reply.RefreshToken, s.refreshTTL(grant), grant.ID)
		s.KeepNewest(emulator.Refresh, grant.ClientID, grant.Account, s.config.RefreshLimit)
		reply.RefreshExpiresIn = emulator.Seconds(s.config.RefreshTTL)
		emulator.NoteIssued(r, emulator.Refresh, reply.RefreshToken)
	}
	return reply, "", ""
}

// refresh leaves the refresh token as it is, and the access tokens that are alive.
func (s *Server) refresh(r *http.Request, client Client) (reply tokenReply, code, detail string) {
	token := r.PostForm.Get("refresh_token")
	if token == "" {
		return reply, "invalid_request", "Missing required parameter: refresh_token"
	}
	grant, _, state := s.Look(emulator.Refresh, token)
	if state != emulator.Valid || grant.ClientID != client.ClientID {
		return reply, "invalid_grant", expiredOrRevoked
	}
	s.Extend(emulator.Refresh, token, s.refreshTTL(grant))
	return s.issue(r, grant), "", ""
}

// refreshTTL is how long a refresh token of the grant lives if it is used now and
// not again.
func (s *Server) refreshTTL(grant emulator.Grant) time.Duration {
	if s.config.RefreshTTL == 0 {
		return s.config.RefreshIdleTTL
	}
	left := grant.Opened.Add(s.config.RefreshTTL).Sub(s.config.Now())
	return min(s.config.RefreshIdleTTL, left)
}

func (s *Server) issue(r *http.Request, grant emulator.Grant) tokenReply {
	access := "ya29." + emulator.MintURL(96)
	s.Issue(emulator.Access, access, s.config.AccessTTL, grant.ID)
	emulator.NoteIssued(r, emulator.Access, access)
	reply := tokenReply{
		AccessToken: access, ExpiresIn: emulator.Seconds(s.config.AccessTTL), TokenType: "Bearer",
		Scope: strings.Join(grant.Scopes, " "),
	}
	if slices.Contains(grant.Scopes, "openid") {
		reply.IDToken = s.idToken(grant)
	}
	return reply
}

// unproven says what is wrong with a PKCE verifier (RFC 7636 section 4.6), or nothing.
func unproven(request url.Values, verifier string) string {
	challenge := request.Get("code_challenge")
	if request.Get("code_challenge_method") == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		if base64.RawURLEncoding.EncodeToString(sum[:]) == challenge {
			return ""
		}
	} else if challenge == verifier {
		return "" // plain, or no challenge and no verifier
	}
	if verifier == "" {
		return "Missing code verifier."
	}
	return "Invalid code verifier."
}
