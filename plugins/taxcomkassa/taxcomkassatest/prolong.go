package taxcomkassatest

import (
	"cmp"
	"net/http"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// prolong stands for the "special method" that the vendor's page mentions and does
// not name: an address that an integrator may have been told. Its shape is not
// public. The emulator takes a POST with the current token in the Authorization
// header and answers like the token endpoint, with a new token that takes the old
// one's place or, with Config.ProlongSameToken, with the same one and more time.
func (s *Server) prolong(w http.ResponseWriter, r *http.Request) {
	token := emulator.BearerToken(r)
	find := s.Spend // lets only one of two simultaneous requests through
	if s.config.ProlongSameToken {
		find = s.look
	}
	grant, state := find(emulator.Access, token)
	if state != emulator.Valid {
		refuse(w, r, "invalid_token", 0)
		return
	}
	var reply tokenReply
	if s.config.ProlongSameToken {
		s.Extend(emulator.Access, token, s.config.AccessTTL)
		reply = s.reply(token)
	} else {
		reply = s.issue(r, grant)
	}
	s.TokenIssued("prolong")
	emulator.WriteJSON(w, http.StatusOK, reply)
}

func (s *Server) look(kind emulator.Kind, value string) (emulator.Grant, emulator.State) {
	grant, _, state := s.Look(kind, value)
	return grant, state
}

// kktList stands for the API: it answers to a token that is accepted with a list of
// one cash register.
func (s *Server) kktList(w http.ResponseWriter, r *http.Request) {
	token := cmp.Or(r.Header.Get("Session-Token"), emulator.BearerToken(r))
	if state := s.TokenState(token); state != emulator.Valid {
		refuse(w, r, apiSessionExpired, 0)
		return
	}
	emulator.WriteJSON(w, http.StatusOK, map[string]any{
		"reportDate": s.config.Now().UTC().Format("2006-01-02T15:04:05"),
		"counts":     map[string]int{"recordCount": 1, "recordInResponceCount": 1},
		"records":    []map[string]any{{"name": "Касса 1", "kktRegNumber": "0000000000000001", "kktFactoryNumber": "0000000001"}},
	})
}
