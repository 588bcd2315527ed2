package authority

import (
	"slices"
	"time"
)

// Verdict is what the log says of the clients.
type Verdict struct {
	// Renewals are the token sets that were issued for a refresh token, and
	// Repeats those of them for one that was spent, within the grace.
	Renewals, Repeats int
	// DoubleSpent counts refresh tokens that came back after they were spent, and
	// were no longer good.
	DoubleSpent int
	// Lost are the families that have ended by that.
	Lost []string
}

// Judge reads the log of some families; of all if none is named.
func (s *Server) Judge(families ...string) Verdict {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	var v Verdict
	for _, e := range s.ledger.log {
		if e.Grant != "refresh_token" || (len(families) > 0 && !slices.Contains(families, e.Family)) {
			continue
		}
		switch e.Verdict {
		case issued:
			v.Renewals++
		case repeated:
			v.Renewals++
			v.Repeats++
		case replayed:
			v.DoubleSpent++
		}
	}
	for id, f := range s.ledger.families {
		if f.replay != nil && (len(families) == 0 || slices.Contains(families, id)) {
			v.Lost = append(v.Lost, id)
		}
	}
	return v
}

// FamilyOf names the family of a token of this server.
func FamilyOf(token string) string { return familyOf(token) }

// Good reports whether an access token would be accepted at a time.
func (s *Server) Good(token string, at time.Time) bool {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	f := s.ledger.families[familyOf(token)]
	if f == nil {
		return false
	}
	t := f.access[token]
	return t != nil && at.Before(t.expires) && (t.revoked.IsZero() || at.Before(t.revoked))
}

// IssuedSince reports whether a family was given a token set after a time.
func (s *Server) IssuedSince(id string, at time.Time) bool {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	f := s.ledger.families[id]
	return f != nil && f.last.After(at)
}
