package authority

import (
	"cmp"
	"context"
	"encoding/json"
	"hash/fnv"
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
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		s.exchange(w, r)
	case "refresh_token":
		s.renew(w, r)
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
	}
}

func (s *Server) exchange(w http.ResponseWriter, r *http.Request) {
	code := r.PostFormValue("code")
	life := s.lifeOf(familyOf(code))
	access, refresh, ok := s.ledger.exchange(code, time.Now(), life)
	if !ok {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	reply(w, access, refresh, life)
}

// renew serves a renewal to its end: the client may have gone long before.
func (s *Server) renew(w http.ResponseWriter, r *http.Request) {
	token := r.PostFormValue("refresh_token")
	entry := s.ledger.arrive(token, clientOf(r.Context()))
	defer s.ledger.close()
	defer context.AfterFunc(r.Context(), func() { s.ledger.gone(entry) })()
	m := s.mannerFor(entry.Family)
	if !s.pause(max(m.Stall, time.Until(m.Until))) {
		return
	}
	if m.Reset || m.Refuse != 0 {
		s.ledger.answered(entry, fault, true)
		if m.Reset {
			cut(w, true)
			return
		}
		refuse(w, m.Refuse, cmp.Or(m.Code, "temporarily_unavailable"))
		return
	}
	s.mu.Lock()
	grace := s.config.Grace
	s.mu.Unlock()
	life := s.lifeOf(entry.Family)
	access, refresh := s.ledger.renew(entry, token, time.Now(), life, grace)
	if !s.pause(m.Delay) {
		return
	}
	if m.Lose || m.Gateway != 0 {
		s.ledger.answered(entry, "", false)
		if m.Lose {
			cut(w, false)
			return
		}
		refuse(w, m.Gateway, "upstream_timeout")
		return
	}
	// Noted before it is written: a client that has read it may hang up at once.
	s.ledger.answered(entry, "", r.Context().Err() == nil)
	if access == "" {
		refuse(w, http.StatusBadRequest, "invalid_grant")
	} else {
		reply(w, access, refresh, life)
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		s.ledger.answered(entry, "", false)
	}
}

// lifeOf is the life of a family's access tokens, in whole seconds.
func (s *Server) lifeOf(family string) time.Duration {
	s.mu.Lock()
	least, most := s.config.AccessLife, s.config.AccessLifeMost
	s.mu.Unlock()
	if most <= least {
		return least
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(family))
	steps := uint32((most-least)/time.Second) + 1
	return least + time.Duration(h.Sum32()%steps)*time.Second
}

func reply(w http.ResponseWriter, access, refresh string, life time.Duration) {
	set := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(life.Seconds())}
	if refresh != "" {
		set["refresh_token"] = refresh
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(set) // the client may be dead: that is the trade here
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
}

// clientKey is where a request's context has the name of its client.
type clientKey struct{}

func clientOf(ctx context.Context) string {
	name, _ := ctx.Value(clientKey{}).(string)
	return name
}
