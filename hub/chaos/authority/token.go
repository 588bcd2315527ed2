package authority

import (
	"encoding/json"
	"net/http"
	"time"
)

// token is RFC 6749 sections 4.1.3 and 6.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if r.PostFormValue("client_id") != ClientID || r.PostFormValue("client_secret") != ClientSecret {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if s.strike(w, r) {
		return
	}
	s.mu.Lock()
	config := s.config
	s.mu.Unlock()
	var access, refresh string
	now, ok := time.Now(), false
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		access, refresh, ok = s.ledger.exchange(r.PostFormValue("code"), now, config.AccessLife)
	case "refresh_token":
		access, refresh, _ = s.ledger.renew(r.PostFormValue("refresh_token"), now, config.AccessLife, config.Grace)
		ok = access != ""
	}
	if !ok {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	reply := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(config.AccessLife.Seconds())}
	if refresh != "" {
		reply["refresh_token"] = refresh
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(reply) // the client may be dead: that is the trade here
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
}
