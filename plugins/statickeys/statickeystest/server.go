package statickeystest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Header has the key in every call.
const Header = "X-Api-Key"

// Server is the emulated service. It is safe for concurrent use.
type Server struct {
	// Now is the service's clock.
	Now func() time.Time

	mu   sync.Mutex
	keys map[string]time.Time // until when each is good
	http *http.Server
}

// New returns a Server that has given out no key.
func New() *Server { return &Server{Now: time.Now, keys: map[string]time.Time{}} }

// Make makes a key that is good for a time, as the owner does on the service's page. Keys
// that there are stay good until their own end.
func (s *Server) Make(life time.Duration) string {
	key := "key-" + rand.Text()
	s.Accept(key, life)
	return key
}

// Accept is Make for a key of a given value.
func (s *Server) Accept(key string, life time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[key] = s.Now().Add(life)
}

// Withdraw ends a key.
func (s *Server) Withdraw(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, key)
}

// State is "valid", "expired" or "unknown".
func (s *Server) State(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.keys[key]
	switch {
	case !ok:
		return "unknown"
	case !s.Now().Before(end):
		return "expired"
	}
	return "valid"
}

// ServeHTTP implements http.Handler: every address is one of the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if s.State(r.Header.Get(Header)) != "valid" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"message":"the key is not known, or has ended"}`)
		return
	}
	_, _ = fmt.Fprint(w, `{"shop":"Demo"}`)
}

// Start listens on an address and returns the service's URL.
func (s *Server) Start(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("start the emulated service of keys: %w", err)
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(l) }() // Close ends it
	return "http://" + l.Addr().String(), nil
}

// Close stops the service.
func (s *Server) Close() error {
	if err := s.http.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop the emulated service of keys: %w", err)
	}
	return nil
}

// Save returns the keys, for Load.
func (s *Server) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.keys)
}

// Load restores what Save returned.
func (s *Server) Load(data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Unmarshal(data, &s.keys)
}
