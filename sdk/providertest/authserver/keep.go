package authserver

import (
	"encoding/json"
	"fmt"
	"time"
)

// kept is the state of a Server, as Save writes it.
type kept struct {
	Families    []*Family    `json:"families"`
	Nonces      []string     `json:"nonces"`
	Secrets     []keptSecret `json:"secrets"`
	DoubleSpent int          `json:"double_spent"`
}

type keptSecret struct {
	Kind        string    `json:"kind"`
	Value       string    `json:"value"`
	Family      int       `json:"family"`
	Expires     time.Time `json:"expires"`
	State       State     `json:"state"`
	RedirectURI string    `json:"redirect_uri"`
	Challenge   string    `json:"challenge"`
}

// Save returns the families and secrets of the server, for Load at its next start.
func (s *Server) Save() ([]byte, error) {
	l := &s.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	k := kept{Families: l.families, DoubleSpent: l.doubleSpent}
	for _, f := range l.families {
		k.Nonces = append(k.Nonces, f.nonce)
	}
	for value, s := range l.secrets {
		k.Secrets = append(k.Secrets, keptSecret{s.kind, value, s.family.ID, s.expires, s.state, s.redirectURI, s.challenge})
	}
	return json.Marshal(k)
}

// Load restores the state that Save returned in a new server. Errors: data that Save did
// not write; nothing is changed then.
func (s *Server) Load(data []byte) error {
	var k kept
	if err := json.Unmarshal(data, &k); err != nil {
		return fmt.Errorf("read the families of an authorization server: %w", err)
	}
	for i, nonce := range k.Nonces[:min(len(k.Nonces), len(k.Families))] {
		k.Families[i].nonce = nonce
	}
	secrets := make(map[string]*secret, len(k.Secrets))
	for _, x := range k.Secrets {
		if x.Family < 1 || x.Family > len(k.Families) {
			return fmt.Errorf("read the families of an authorization server: there is no family %d", x.Family)
		}
		secrets[x.Value] = &secret{x.Kind, k.Families[x.Family-1], x.Expires, x.State, x.RedirectURI, x.Challenge}
	}
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.ledger.families, s.ledger.secrets, s.ledger.doubleSpent = k.Families, secrets, k.DoubleSpent
	return nil
}
