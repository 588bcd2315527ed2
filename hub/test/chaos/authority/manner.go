package authority

import (
	"net"
	"net/http"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Request is a token request that has arrived, for whoever decides on its Manner.
type Request struct {
	// Family is that of its refresh token.
	Family string
	Kind   provider.RotationKind
	// Nth counts the renewals of the family, from 1.
	Nth int
}

// Manner is how the server treats a token request, apart from what its refresh
// token is worth. The zero value serves it at once. A request that is served is
// served to its end, whether or not its client still listens.
type Manner struct {
	// Stall is the time before it is looked at, and Until a moment before which it
	// is not; the later one counts.
	Stall time.Duration
	Until time.Time
	// Refuse answers with a status before the refresh token is looked at.
	Refuse int
	// Code is the error of RFC 6749 section 5.2 that goes with Refuse; empty is
	// temporarily_unavailable.
	Code string
	// Reset resets the connection before the refresh token is looked at.
	Reset bool
	// Delay is the time between the rotation and the answer.
	Delay time.Duration
	// Lose closes the connection after the rotation, without an answer.
	Lose bool
	// Gateway answers with a status after the rotation: the answer was lost at
	// something that stands between.
	Gateway int
}

// SetManner asks decide for the manner of every renewal from now on; nil serves
// all at once.
func (s *Server) SetManner(decide func(Request) Manner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manner = decide
}

func (s *Server) mannerFor(family string) Manner {
	s.mu.Lock()
	decide := s.manner
	s.mu.Unlock()
	if decide == nil {
		return Manner{}
	}
	return decide(s.ledger.request(family))
}

// pause returns false if the server is closed meanwhile.
func (s *Server) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-s.closed:
		return false
	}
}

// cut ends the connection of a request, by a reset or in order.
func cut(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
