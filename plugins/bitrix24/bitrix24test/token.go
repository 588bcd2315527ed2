package bitrix24test

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// tokenReply is the answer of the token endpoint. Scope is "app" whatever was
// granted, and Domain is the authorization server's host, not the portal's.
type tokenReply struct {
	AccessToken    string `json:"access_token"`
	Expires        int64  `json:"expires"`
	ExpiresIn      int64  `json:"expires_in"`
	Scope          string `json:"scope"`
	Domain         string `json:"domain"`
	ServerEndpoint string `json:"server_endpoint"`
	Status         string `json:"status"`
	ClientEndpoint string `json:"client_endpoint"`
	MemberID       string `json:"member_id"`
	UserID         int    `json:"user_id"`
	RefreshToken   string `json:"refresh_token"`
}

// token is the endpoint where codes and refresh tokens are spent.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	app, problem := s.client(r)
	if problem != "" {
		refuse(w, r, problem, 0)
		return
	}
	grantType := r.Form.Get("grant_type")
	var grant emulator.Grant
	switch grantType {
	case "authorization_code":
		grant, problem = s.spendCode(app, r.Form.Get("code"))
	case "refresh_token":
		grant, problem = s.spendRefreshToken(app, r.Form.Get("refresh_token"))
	default:
		problem = "invalid_request"
	}
	if problem != "" {
		refuse(w, r, problem, 0)
		return
	}
	reply := s.issue(r, app, grant)
	s.TokenIssued(grantType)
	emulator.WriteJSON(w, http.StatusOK, reply)
}

// client finds out which application asks. Its credentials are parameters.
func (s *Server) client(r *http.Request) (App, string) {
	id, secret := r.Form.Get("client_id"), r.Form.Get("client_secret")
	if id == "" || secret == "" || r.Form.Get("grant_type") == "" {
		return App{}, "invalid_request"
	}
	app, ok := s.app(id)
	switch {
	case !ok:
		return App{}, "wrong_client"
	case secret != app.ClientSecret:
		return App{}, "invalid_client"
	}
	return app, app.Blocked
}

func (s *Server) spendCode(app App, code string) (emulator.Grant, string) {
	if code == "" {
		return emulator.Grant{}, "invalid_request"
	}
	if grant, _, state := s.Look(emulator.Code, code); state == emulator.Unknown || grant.ClientID != app.ClientID {
		return emulator.Grant{}, "invalid_grant"
	}
	grant, state := s.Spend(emulator.Code, code)
	if state != emulator.Valid {
		return emulator.Grant{}, "expired_token"
	}
	return grant, ""
}

func (s *Server) spendRefreshToken(app App, token string) (emulator.Grant, string) {
	if token == "" {
		return emulator.Grant{}, "invalid_request"
	}
	if grant, _, _ := s.Look(emulator.Refresh, token); grant.ClientID != app.ClientID {
		return emulator.Grant{}, "invalid_grant"
	}
	grant, state := s.Spend(emulator.Refresh, token)
	if state != emulator.Valid {
		return emulator.Grant{}, "invalid_grant"
	}
	return grant, ""
}

// issue begins a generation of a grant. The pair before it ends: its refresh token
// is spent already, and its access token is revoked here.
func (s *Server) issue(r *http.Request, app App, grant emulator.Grant) tokenReply {
	s.RevokeTokens(emulator.Access, grant.ID)
	access, refresh := s.mint(s.config.AccessTTL), s.mint(s.config.RefreshTTL)
	s.Issue(emulator.Access, access, s.config.AccessTTL, grant.ID)
	s.Issue(emulator.Refresh, refresh, s.config.RefreshTTL, grant.ID)
	emulator.NoteIssued(r, emulator.Access, access)
	emulator.NoteIssued(r, emulator.Refresh, refresh)
	return tokenReply{
		AccessToken: access, RefreshToken: refresh,
		Expires:        s.config.Now().Add(s.config.AccessTTL).Unix(),
		ExpiresIn:      emulator.Seconds(s.config.AccessTTL),
		Scope:          "app",
		Domain:         host(s.AuthServerURL),
		ServerEndpoint: s.AuthServerURL + "/rest/",
		ClientEndpoint: s.PortalURL + "/rest/",
		Status:         app.Status,
		MemberID:       s.config.MemberID,
		UserID:         grant.Account.ID,
	}
}

// mint makes a code or token in the vendor's shape: hexadecimal, beginning with the
// Unix time of its expiry, lowest byte first.
func (s *Server) mint(ttl time.Duration) string {
	var expiry [4]byte
	binary.LittleEndian.PutUint32(expiry[:], uint32(s.config.Now().Add(ttl).Unix()))
	return hex.EncodeToString(expiry[:]) + emulator.MintHex(31)
}
