package authserver

import (
	"net/http"
	"strings"
)

// introspect is RFC 7662. It spends nothing.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	if no := s.authenticate(r); no != nil {
		refuse(w, no)
		return
	}
	value := r.PostFormValue("token")
	for _, kind := range []string{"refresh_token", "access_token"} {
		found, state := s.ledger.look(kind, value, s.now())
		if state != Valid {
			continue
		}
		reply := map[string]any{"active": true, "client_id": s.config.ClientID}
		if !found.expires.IsZero() {
			reply["exp"] = found.expires.Unix()
		}
		if len(found.family.Scopes) > 0 {
			reply["scope"] = strings.Join(found.family.Scopes, " ")
		}
		writeJSON(w, reply)
		return
	}
	writeJSON(w, map[string]any{"active": false})
}
