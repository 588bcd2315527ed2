package authority

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// ClientID and ClientSecret are the only registration.
const (
	ClientID     = "chaos"
	ClientSecret = "a-secret-of-chaos"
)

// Kinds are the kinds of rotation that have an endpoint, in the contract's order.
var Kinds = []provider.RotationKind{
	provider.RotationNone, provider.RotationRotates, provider.RotationRotatesRevokesAccess, provider.RotationRotatesWithGrace,
}

// Config of a Server.
type Config struct {
	// AccessLife is the life of access tokens; whole seconds, at least one.
	AccessLife time.Duration
	// AccessLifeMost gives each family a life between AccessLife and this; zero is
	// AccessLife for all.
	AccessLifeMost time.Duration
	// Grace is how long a spent refresh token stays good where the kind has a
	// grace.
	Grace time.Duration
	// Client names who is at the other end of a connection, for the log; nil is
	// nobody. It is asked once, when the connection is accepted.
	Client func(remote net.Addr) string
}

// Server is a running authorization server.
type Server struct {
	// URL is its address; the endpoints of a kind are under /<kind>.
	URL    string
	ledger ledger
	server *http.Server

	mu     sync.Mutex
	config Config
	fault  Fault
	struck int           // requests that met the fault
	heal   chan struct{} // closed when the fault ends
	manner func(Request) Manner

	closed chan struct{}
	once   sync.Once
}

// Start listens on a free port of loopback until Close.
func Start(config Config) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the authorization server: %w", err)
	}
	s := &Server{URL: "http://" + listener.Addr().String(), config: config, heal: make(chan struct{}), closed: make(chan struct{})}
	s.ledger.families, s.ledger.codes = map[string]*family{}, map[string]string{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{kind}/authorize", s.authorize)
	mux.HandleFunc("POST /{kind}/token", s.token)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ConnContext: func(ctx context.Context, c net.Conn) context.Context {
		if config.Client == nil {
			return ctx
		}
		return context.WithValue(ctx, clientKey{}, config.Client(c.RemoteAddr()))
	}}
	go func() { _ = s.server.Serve(listener) }() // ends with Close
	return s, nil
}

// Close ends the server, every connection to it, and what is served.
func (s *Server) Close() {
	s.once.Do(func() { close(s.closed) })
	_ = s.server.Close()
}

// SetAccessLife changes the life of the access tokens that are issued from now
// on.
func (s *Server) SetAccessLife(life time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.AccessLife, s.config.AccessLifeMost = life, 0
}

// SetLives gives each family a life of its access tokens between two, for those
// that are issued from now on.
func (s *Server) SetLives(least, most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.AccessLife, s.config.AccessLifeMost = least, most
}

// authorize opens a family and sends the browser back at once: who consents is
// of no interest here.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	target, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || target.Host == "" || q.Get("client_id") != ClientID {
		http.Error(w, "client_id or redirect_uri is wrong", http.StatusBadRequest)
		return
	}
	params := target.Query()
	params.Set("code", s.ledger.open(provider.RotationKind(r.PathValue("kind"))))
	params.Set("state", q.Get("state"))
	target.RawQuery = params.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound) //nolint:gosec // redirecting to where the client says is what the endpoint is for
}

// URLAt is the server's address under another name of loopback.
func (s *Server) URLAt(host string) string {
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	return "http://" + net.JoinHostPort(host, port)
}
