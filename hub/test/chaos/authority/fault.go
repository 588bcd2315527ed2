package authority

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
)

// Fault is what goes wrong at the token endpoint, before anything is rotated.
type Fault struct {
	// Status answers with it if it is not 0.
	Status int
	// Code is the error of RFC 6749 section 5.2 that goes with Status; empty is
	// temporarily_unavailable.
	Code string
	// RetryAfter goes with Status.
	RetryAfter time.Duration
	// Hang gives no answer until the fault is over or the client gives up.
	Hang bool
	// Before is called before a request is served, which waits for it; nil is
	// nothing.
	Before func()
}

// SetFault lets every token request meet a fault until SetFault(Fault{}). It
// returns how many requests met the fault that was set before.
func (s *Server) SetFault(f Fault) (struck int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	struck = s.struck
	close(s.heal)
	s.fault, s.struck, s.heal = f, 0, make(chan struct{})
	return struck
}

// Struck counts the requests that have met the fault so far.
func (s *Server) Struck() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.struck
}

// strike reports whether a fault has answered the request.
func (s *Server) strike(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	f, heal := s.fault, s.heal
	if f.Before != nil || f.Status != 0 || f.Hang {
		s.struck++
	}
	s.mu.Unlock()
	if f.Before != nil {
		f.Before()
	}
	if f.Status == 0 && !f.Hang {
		return false
	}
	s.ledger.mu.Lock()
	s.ledger.note(time.Now(), familyOf(r.PostFormValue("refresh_token")), r.PostFormValue("grant_type"), fault)
	s.ledger.mu.Unlock()
	if f.Hang {
		select {
		case <-heal:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
	}
	refuse(w, f.Status, cmp.Or(f.Code, "temporarily_unavailable"))
	return true
}
