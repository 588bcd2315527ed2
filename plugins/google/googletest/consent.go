package googletest

import (
	"slices"
	"strings"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// consent is what a person has allowed a client so far, over all authorizations.
type consent struct {
	scopes []string
	// offline says that a refresh token was handed out for it.
	offline bool
}

type consentKey struct {
	clientID  string
	accountID int
}

// remember adds scopes to what the person has allowed, and returns what the new
// grant holds: these scopes or, if the client asks for it, all so far.
func (s *Server) remember(clientID string, account emulator.Account, scopes []string, include bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := consentKey{clientID, account.ID}
	if s.consents[key] == nil {
		s.consents[key] = &consent{}
	}
	given := s.consents[key]
	for _, scope := range scopes {
		if !slices.Contains(given.scopes, scope) {
			given.scopes = append(given.scopes, scope)
		}
	}
	if include {
		return slices.Clone(given.scopes)
	}
	return scopes
}

// handsOutRefresh decides whether the exchange of a grant's code comes with a
// refresh token, and remembers that it does.
func (s *Server) handsOutRefresh(grant emulator.Grant) bool {
	if grant.Request.Get("access_type") != "offline" {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	given := s.consents[consentKey{grant.ClientID, grant.Account.ID}]
	if given == nil {
		return false // withdrawn in the meantime
	}
	again := slices.Contains(strings.Fields(grant.Request.Get("prompt")), "consent")
	if given.offline && !again {
		return false
	}
	given.offline = true
	return true
}

// Withdraw takes back everything that a person has allowed a client, as they do on
// the page of their account, and as revocation does.
func (s *Server) Withdraw(clientID string, account emulator.Account) {
	s.mu.Lock()
	delete(s.consents, consentKey{clientID, account.ID})
	s.mu.Unlock()
	for _, grant := range s.Grants() {
		if grant.ClientID == clientID && grant.Account.ID == account.ID {
			s.RevokeGrant(grant.ID)
		}
	}
}
