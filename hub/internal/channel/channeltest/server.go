package channeltest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

// Received is a message that a service took.
type Received struct {
	Kind channel.Kind
	// To is the receiver as it came: without the plus where the service has none.
	To string
	// Subject, Text and HTML are decoded; a service that knows only one of them
	// leaves the others empty.
	Subject, Text, HTML string
	// From is the sender as it came.
	From string
	// Type and Data are a webhook's.
	Type string
	Data json.RawMessage
	// Header are the headers of the request, or of the e-mail.
	Header http.Header
	// Path is the address of the request below the server, with its query.
	Path string
	// Key is what repeats have in common: webhook-id, or an e-mail's Message-ID.
	Key string
	// Reference is the number that the service answered with.
	Reference string
	At        time.Time
}

// Server plays the services. It is safe for concurrent use.
type Server struct {
	web     *http.Server
	mail    net.Listener
	address string
	closing chan struct{}
	running sync.WaitGroup

	mu       sync.Mutex
	now      func() time.Time
	received []Received
	seen     map[string]bool
	attempts map[channel.Kind]int
	orders   map[channel.Kind][]order
	lines    map[net.Conn]bool
}

// Start returns servers on ports of loopback that the system chose. It panics if
// there is none, as net/http/httptest does.
func Start() *Server {
	s, err := Open()
	if err != nil {
		panic(err)
	}
	return s
}

// Open is Start for programs that would rather be told.
func Open() (*Server, error) {
	var config net.ListenConfig
	web, err := config.Listen(background, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("play the services: %w", err)
	}
	mail, err := config.Listen(background, "tcp", "127.0.0.1:0")
	if err != nil {
		_ = web.Close()
		return nil, fmt.Errorf("play the mail server: %w", err)
	}
	s := &Server{
		mail: mail, address: "http://" + web.Addr().String(), closing: make(chan struct{}), now: time.Now,
		seen: map[string]bool{}, attempts: map[channel.Kind]int{}, orders: map[channel.Kind][]order{}, lines: map[net.Conn]bool{},
	}
	s.web = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	s.running.Go(func() { _ = s.web.Serve(web) })
	s.running.Go(s.serveMail)
	return s, nil
}

// Close ends both servers and waits for them.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.closing:
	default:
		close(s.closing)
	}
	for conn := range s.lines {
		_ = conn.Close()
	}
	s.mu.Unlock()
	_ = s.mail.Close()
	_ = s.web.Close()
	s.running.Wait()
}

// SetNow gives the services a clock of the test's; it is time.Now at first.
func (s *Server) SetNow(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// Messages returns what was taken, in order. A repeat that the service recognises
// is not in it.
func (s *Server) Messages() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.received)
}

// Attempts says how often a service was asked, failures included.
func (s *Server) Attempts(k channel.Kind) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts[k]
}

// Reset forgets messages, attempts and failures that are still to come.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = nil
	clear(s.seen)
	clear(s.attempts)
	clear(s.orders)
}

// take keeps a message and returns the number that it gets.
func (s *Server) take(r Received) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.At = s.now()
	r.Reference = strconv.Itoa(1000 + len(s.received))
	if r.Kind == channel.Webhook && s.seen[r.Key] {
		return r.Reference
	}
	s.seen[r.Key] = true
	s.received = append(s.received, r)
	return r.Reference
}

func (s *Server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}
