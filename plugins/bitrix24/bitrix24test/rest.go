package bitrix24test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// portalMethod is a REST method of the portal.
func (s *Server) portalMethod(w http.ResponseWriter, r *http.Request) {
	grant, _, ok := s.caller(w, r)
	if !ok {
		return
	}
	app, known := s.app(grant.ClientID)
	if !known {
		refuse(w, r, "NOT_INSTALLED", 0)
		return
	}
	switch strings.TrimSuffix(r.PathValue("method"), ".json") {
	case "profile":
		s.result(w, profile(grant.Account))
	case "user.current":
		if !slices.ContainsFunc(grant.Scopes, func(scope string) bool { return strings.HasPrefix(scope, "user") }) {
			refuse(w, r, "insufficient_scope", 0)
			return
		}
		s.result(w, currentUser(grant.Account))
	case "app.info":
		s.result(w, map[string]any{
			"ID": 1, "CODE": app.ClientID, "VERSION": 1, "STATUS": app.Status, "INSTALLED": true, "PAYMENT_EXPIRED": "N",
		})
	case "scope":
		s.result(w, grant.Scopes)
	default:
		refuse(w, r, "ERROR_METHOD_NOT_FOUND", 0)
	}
}

// authServerAppInfo answers whose token this is: the check that the vendor advises
// for tokens that come from a box.
func (s *Server) authServerAppInfo(w http.ResponseWriter, r *http.Request) {
	grant, expires, ok := s.caller(w, r)
	if !ok {
		return
	}
	app, known := s.app(grant.ClientID)
	if !known {
		refuse(w, r, "NOT_INSTALLED", 0)
		return
	}
	scope := strings.Join(grant.Scopes, ",")
	s.result(w, map[string]any{
		"client_id": app.ClientID, "scope": scope,
		"expires": expires.UTC().Format(time.RFC3339), "user_id": grant.Account.ID,
		"install": map[string]any{
			"installed": true, "version": "1", "status": app.Status, "scope": scope,
			"domain": host(s.AuthServerURL), "uri": "", "client_endpoint": s.PortalURL + "/rest/",
			"member_id": s.config.MemberID, "member_type": "cloud",
		},
	})
}

// caller returns the grant by which r is made, or refuses it. The token is looked
// for in the order of the portal: Authorization header, auth, access_token.
func (s *Server) caller(w http.ResponseWriter, r *http.Request) (emulator.Grant, time.Time, bool) {
	token := emulator.BearerToken(r)
	for _, param := range []string{"auth", "access_token"} {
		if token == "" {
			token = r.Form.Get(param)
		}
	}
	if token == "" {
		refuse(w, r, "NO_AUTH_FOUND", 0)
		return emulator.Grant{}, time.Time{}, false
	}
	grant, expires, state := s.Look(emulator.Access, token)
	switch state {
	case emulator.Valid:
		return grant, expires, true
	case emulator.Expired:
		refuse(w, r, "expired_token", 0)
	default:
		refuse(w, r, "invalid_token", 0)
	}
	return emulator.Grant{}, time.Time{}, false
}

// result wraps what a method returns as all REST replies are wrapped.
func (s *Server) result(w http.ResponseWriter, result any) {
	now := s.config.Now()
	emulator.WriteJSON(w, http.StatusOK, map[string]any{
		"result": result,
		"time": map[string]any{
			"start": float64(now.UnixMilli()) / 1000, "finish": float64(now.UnixMilli()) / 1000, "duration": 0,
			"date_start": now.Format(time.RFC3339), "date_finish": now.Format(time.RFC3339), "operating": 0,
		},
	})
}

func profile(a emulator.Account) map[string]any {
	return map[string]any{
		"ID": strconv.Itoa(a.ID), "ADMIN": a.ID == 1, "NAME": a.GivenName, "LAST_NAME": a.FamilyName,
		"PERSONAL_GENDER": "", "TIME_ZONE": "", "TIME_ZONE_OFFSET": 0,
	}
}

func currentUser(a emulator.Account) map[string]any {
	return map[string]any{
		"ID": strconv.Itoa(a.ID), "ACTIVE": true, "NAME": a.GivenName, "LAST_NAME": a.FamilyName,
		"EMAIL": a.Login, "USER_TYPE": "employee",
	}
}
