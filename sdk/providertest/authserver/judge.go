package authserver

// TokenState judges an access token as a resource server would.
func (s *Server) TokenState(accessToken string) State {
	_, state := s.ledger.look("access_token", accessToken, s.now())
	return state
}

// RefreshTokenState judges a refresh token without using it.
func (s *Server) RefreshTokenState(refreshToken string) State {
	_, state := s.ledger.look("refresh_token", refreshToken, s.now())
	return state
}

// DoubleSpent counts how often a code or refresh token was presented that had
// been used before. A client that never loses or repeats a renewal keeps it 0.
func (s *Server) DoubleSpent() int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.doubleSpent
}

// Families returns every consent so far, oldest first.
func (s *Server) Families() []Family {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	families := make([]Family, 0, len(s.ledger.families))
	for _, f := range s.ledger.families {
		families = append(families, *f)
	}
	return families
}

// TokenRequests counts the requests to the token endpoint with a grant_type;
// "" counts all. Requests that a fault answered are counted too.
func (s *Server) TokenRequests(grantType string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if grantType != "" {
		return s.requests[grantType]
	}
	all := 0
	for _, n := range s.requests {
		all += n
	}
	return all
}

// RevokeFamily withdraws a consent, as a person does in the account's settings.
// Zero withdraws all.
func (s *Server) RevokeFamily(id int) {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	for _, f := range s.ledger.families {
		if id == 0 || f.ID == id {
			s.ledger.revoke(f)
		}
	}
}

// Tokens are what was issued at once.
type Tokens struct{ Access, Refresh string }

// Grant begins a family without a browser, for tests that start from a token.
func (s *Server) Grant(account Account, scopes ...string) (t Tokens) {
	f := s.ledger.open(Family{Account: account, Scopes: scopes})
	reply := s.mint(f, true)
	t.Access, _ = reply["access_token"].(string)
	t.Refresh, _ = reply["refresh_token"].(string)
	return t
}
