package googletest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/evergrant/evergrant/plugins/emulator"
)

const (
	userinfoPath = "/v1/userinfo"
	revokePath   = "/revoke"
)

// subject is how Google numbers an account, for ever.
func subject(a emulator.Account) string { return fmt.Sprintf("1000000000000000%05d", a.ID) }

// revoke ends the consent to which a token belongs, whichever kind it is.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	token := r.Form.Get("token")
	for _, kind := range []emulator.Kind{emulator.Refresh, emulator.Access} {
		if grant, _, state := s.Look(kind, token); state == emulator.Valid {
			s.Withdraw(grant.ClientID, grant.Account)
			emulator.WriteJSON(w, http.StatusOK, map[string]string{})
			return
		}
	}
	refuseWith(w, r, "invalid_token", "Token expired or revoked", 0)
}

// userinfo says who the account is, as far as the scopes go.
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	grant, ok := s.caller(w, r)
	if !ok {
		return
	}
	if !slices.ContainsFunc(grant.Scopes, signIn) {
		refuseAPI(w, r, http.StatusForbidden, "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
		return
	}
	emulator.WriteJSON(w, http.StatusOK, claims(grant))
}

// claims are what userinfo and ID tokens tell of an account.
func claims(grant emulator.Grant) map[string]any {
	account := grant.Account
	out := map[string]any{"sub": subject(account)}
	if slices.Contains(grant.Scopes, fullNames["email"]) {
		out["email"], out["email_verified"] = account.Login, true
	}
	if slices.Contains(grant.Scopes, fullNames["profile"]) {
		out["name"], out["given_name"], out["family_name"] = account.Name(), account.GivenName, account.FamilyName
	}
	return out
}

// tokeninfo answers whose token it is and what it permits.
func (s *Server) tokeninfo(w http.ResponseWriter, r *http.Request) {
	grant, expires, state := s.Look(emulator.Access, r.Form.Get("access_token"))
	if state != emulator.Valid {
		refuse(w, r, "invalid_token", 0)
		return
	}
	info := map[string]any{
		"azp": grant.ClientID, "aud": grant.ClientID, "sub": subject(grant.Account),
		"scope": strings.Join(grant.Scopes, " "), "exp": strconv.FormatInt(expires.Unix(), 10),
		"expires_in":  strconv.FormatInt(emulator.Seconds(expires.Sub(s.config.Now())), 10),
		"access_type": "online",
	}
	if grant.Request.Get("access_type") == "offline" {
		info["access_type"] = "offline"
	}
	if slices.Contains(grant.Scopes, fullNames["email"]) {
		info["email"], info["email_verified"] = grant.Account.Login, "true"
	}
	emulator.WriteJSON(w, http.StatusOK, info)
}

// calendarList stands for the API: the calendars of the account.
func (s *Server) calendarList(w http.ResponseWriter, r *http.Request) {
	grant, ok := s.caller(w, r)
	if !ok {
		return
	}
	reads := []string{"calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"}
	if !slices.ContainsFunc(grant.Scopes, func(scope string) bool {
		return slices.Contains(reads, strings.TrimPrefix(scope, scopePrefix))
	}) {
		refuseAPI(w, r, http.StatusForbidden, "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
		return
	}
	emulator.WriteJSON(w, http.StatusOK, map[string]any{
		"kind": "calendar#calendarList",
		"items": []map[string]any{{
			"kind": "calendar#calendarListEntry", "id": grant.Account.Login, "summary": grant.Account.Name(),
			"timeZone": "Europe/Moscow", "accessRole": "owner", "primary": true,
		}},
	})
}

// caller returns the grant by which an API is called, or refuses the call.
func (s *Server) caller(w http.ResponseWriter, r *http.Request) (emulator.Grant, bool) {
	token := emulator.BearerToken(r)
	if token == "" {
		token = r.Form.Get("access_token")
	}
	grant, _, state := s.Look(emulator.Access, token)
	if state != emulator.Valid {
		refuseAPI(w, r, http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
		return grant, false
	}
	return grant, true
}
