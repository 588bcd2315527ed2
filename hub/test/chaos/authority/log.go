package authority

import (
	"fmt"
	"slices"
	"time"
)

// Entry is a token request in the log.
type Entry struct {
	// At is when it arrived, and Judged when its refresh token was looked at.
	At, Judged time.Time
	Family     string
	// Client is who sent it, as Config.Client tells.
	Client string
	// Grant is the grant_type.
	Grant string
	// Token names the refresh token within the family: the n'th that was issued.
	Token int
	// Next is the number of the refresh token in the answer; zero if there is none.
	Next int
	// Verdict is what became of it: issued, repeated (within the grace), replayed,
	// revoked, unknown, or fault; empty while it waits.
	Verdict string
	// Answered is when the server was done with it; zero while it is not. Delivered
	// is set if its client still listened then, and got an answer of the server's.
	Answered  time.Time
	Delivered bool
	// Gone is when its client had hung up, as far as the server has seen; zero if it
	// had not before the answer.
	Gone time.Time
}

// String is a line for people, without tokens.
func (e Entry) String() string {
	verdict := e.Verdict
	if verdict == "" {
		verdict = "waiting"
	}
	if e.Grant == "authorization_code" {
		return e.At.Format(clock) + " the grant begins"
	}
	s := fmt.Sprintf("%s refresh token %d from %s: %s", e.At.Format(clock), e.Token, e.Client, verdict)
	if e.Judged.Sub(e.At) > 100*time.Millisecond {
		s += fmt.Sprintf(" %.1f s later", e.Judged.Sub(e.At).Seconds())
	}
	switch {
	case e.Answered.IsZero():
		s += ", not answered yet"
	case e.Delivered:
		s += fmt.Sprintf(", answered after %.1f s", e.Answered.Sub(e.At).Seconds())
	default:
		s += fmt.Sprintf(", its answer after %.1f s reached nobody", e.Answered.Sub(e.At).Seconds())
	}
	if !e.Gone.IsZero() {
		s += fmt.Sprintf(" (the client had hung up after %.1f s)", e.Gone.Sub(e.At).Seconds())
	}
	return s
}

const clock = "15:04:05.000"

// Grant is what the server has counted of one family.
type Grant struct {
	Family string
	// Issued are token sets, Spent refresh tokens that were used, and DoubleSpent
	// uses of one that was spent and no longer good.
	Issued, Spent, DoubleSpent int
	// Ended is why the family has ended; nil if it lives.
	Ended *End
}

// End is the end of a family by a refresh token that came back.
type End struct {
	// First is the request that spent the refresh token, or the last one that repeated it
	// within the grace, and Again the one that brought it back.
	First, Again Entry
}

// Grant tells of one family.
func (s *Server) Grant(id string) Grant {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	f := s.ledger.families[id]
	if f == nil {
		return Grant{Family: id}
	}
	g := f.counted
	g.Family = id
	if f.replay != nil {
		g.Ended = &End{First: *f.replay.first, Again: *f.replay.again}
	}
	return g
}

// Log returns the token requests of a family, in the order of their arrival.
func (s *Server) Log(id string) []Entry {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	var entries []Entry
	for _, e := range s.ledger.log {
		if e.Family == id {
			entries = append(entries, *e)
		}
	}
	return entries
}

// Nth is the number of a refresh token within its family; zero if it was never
// issued.
func (s *Server) Nth(refresh string) int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	if f := s.ledger.families[familyOf(refresh)]; f != nil && f.refresh[refresh] != nil {
		return f.refresh[refresh].nth
	}
	return 0
}

// Out counts the token requests that wait for their answer.
func (s *Server) Out() int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.out
}

// SentBy counts the token requests of a client, by the name that Config.Client gave it.
func (s *Server) SentBy(client string) int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	n := 0
	for _, e := range s.ledger.log {
		if e.Client == client {
			n++
		}
	}
	return n
}

// Arrived counts the renewals that have arrived so far.
func (s *Server) Arrived() int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.arrived
}

// Worth is what is known of an access token.
type Worth struct {
	// Expires is its end, and Revoked an earlier one; zero if there was none.
	Expires, Revoked time.Time
	// Told is when the answer that revoked it was delivered; zero if it was not.
	Told time.Time
	// Ended is set if its family was ended by a refresh token that came back.
	Ended bool
}

// Worth tells of an access token; ok is false for one that was never issued, or
// has been over for more than a minute.
func (s *Server) Worth(token string) (w Worth, ok bool) {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	f := s.ledger.families[familyOf(token)]
	if f == nil || f.access[token] == nil {
		return w, false
	}
	t := f.access[token]
	w = Worth{Expires: t.expires, Revoked: t.revoked, Ended: f.replay != nil}
	if t.by != nil && t.by.Delivered {
		w.Told = t.by.Answered
	}
	return w, true
}

// Ended are the families that have ended because a refresh token came back.
func (s *Server) Ended() []string {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	var ids []string
	for id, f := range s.ledger.families {
		if f.replay != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
