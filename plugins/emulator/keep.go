package emulator

import (
	"encoding/json"
	"fmt"
	"time"
)

// kept is a Ledger as Save writes it.
type kept struct {
	Grants  []*Grant     `json:"grants"`
	Secrets []keptSecret `json:"secrets"`
	Issued  int          `json:"issued"`
	Reused  int          `json:"reused"`
}

type keptSecret struct {
	Kind    Kind      `json:"kind"`
	Value   string    `json:"value"`
	GrantID int       `json:"grant_id"`
	Order   int       `json:"order"`
	Issued  time.Time `json:"issued"`
	Expires time.Time `json:"expires"`
	State   State     `json:"state"`
}

// Save returns the state of the ledger, secrets included, for Load.
func (l *Ledger) Save() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := kept{Grants: l.grants, Issued: l.issued, Reused: l.reused}
	for key, s := range l.secrets {
		k.Secrets = append(k.Secrets, keptSecret{key.kind, key.value, s.grant.ID, s.order, s.issued, s.expires, s.state})
	}
	return json.Marshal(k)
}

// Load restores the state that Save returned in an empty ledger. Errors: data that Save
// did not write; nothing is changed then.
func (l *Ledger) Load(data []byte) error {
	var k kept
	if err := json.Unmarshal(data, &k); err != nil {
		return fmt.Errorf("read the grants of an emulator: %w", err)
	}
	secrets := make(map[secretKey]*secret, len(k.Secrets))
	for _, s := range k.Secrets {
		if s.GrantID < 1 || s.GrantID > len(k.Grants) {
			return fmt.Errorf("read the grants of an emulator: there is no grant %d", s.GrantID)
		}
		secrets[secretKey{s.Kind, s.Value}] = &secret{k.Grants[s.GrantID-1], s.Order, s.Issued, s.Expires, s.State}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grants, l.secrets, l.issued, l.reused = k.Grants, secrets, k.Issued, k.Reused
	return nil
}
