package authserver

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Config of a Server. The zero value is a server with the client "client", its
// secret "secret", and the accounts anna and boris.
type Config struct {
	// URL is the issuer, without a final slash. Empty: taken from each request.
	URL string
	// ClientID and ClientSecret are the only registration. With Public the client
	// has no secret.
	ClientID, ClientSecret string
	Public                 bool
	// RedirectURIs are the registered ones; none: any.
	RedirectURIs []string
	// Accounts can log in. The first one's are filled in on the page.
	Accounts []Account

	// CodeLife, AccessTokenLife and RefreshTokenLife are 1 minute, 1 hour and for
	// ever if zero.
	CodeLife, AccessTokenLife, RefreshTokenLife time.Duration
	// DeviceInterval and DeviceCodeLife are those of device authorizations, 5 seconds and
	// 10 minutes if zero.
	DeviceInterval, DeviceCodeLife time.Duration
	// RequirePKCE refuses an authorization request without an S256 challenge.
	RequirePKCE bool
	// KeepRefreshToken turns rotation off: a renewal returns no refresh token.
	KeepRefreshToken bool
	// RevokeAccessOnRotation ends the old access token with its refresh token.
	RevokeAccessOnRotation bool
	// WithoutIss leaves the iss parameter of RFC 9207 out.
	WithoutIss bool

	// OnRotated is called after tokens were rotated and before the reply is
	// written, which waits for it: a test kills its client at this moment.
	OnRotated func()
	// Now is the server's clock; nil is time.Now.
	Now func() time.Time
}

// Account is a user who can log in.
type Account struct {
	// ID is the sub of userinfo and ID tokens.
	ID string
	// Login is an e-mail address.
	Login    string
	Password string
	Name     string
}

// DefaultAccounts are one to authorize with, and another one to authorize again
// with by mistake.
func DefaultAccounts() []Account {
	return []Account{
		{ID: "1", Login: "anna@example.test", Password: "anna", Name: "Anna Ivanova"},
		{ID: "2", Login: "boris@example.test", Password: "boris", Name: "Boris Petrov"},
	}
}

// Server is an authorization server. It is an http.Handler that is safe for
// concurrent use.
type Server struct {
	config Config
	mux    *http.ServeMux
	key    *ecdsa.PrivateKey // signs ID tokens
	ledger ledger
	faults faults

	mu       sync.Mutex
	url      string
	skew     time.Duration
	requests map[string]int // by grant_type
	devices  map[string]*device
	http     *http.Server
}

// New returns a server that listens nowhere: serve it as a handler, or Start it.
func New(config Config) *Server {
	config.ClientID = cmp.Or(config.ClientID, "client")
	config.CodeLife = cmp.Or(config.CodeLife, time.Minute)
	config.AccessTokenLife = cmp.Or(config.AccessTokenLife, time.Hour)
	config.DeviceInterval = cmp.Or(config.DeviceInterval, 5*time.Second)
	config.DeviceCodeLife = cmp.Or(config.DeviceCodeLife, 10*time.Minute)
	if config.Public {
		config.ClientSecret = ""
	} else {
		config.ClientSecret = cmp.Or(config.ClientSecret, "secret")
	}
	if len(config.Accounts) == 0 {
		config.Accounts = DefaultAccounts()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(fmt.Sprintf("authserver: no randomness: %v", err))
	}
	s := &Server{config: config, mux: http.NewServeMux(), key: key, url: config.URL, requests: map[string]int{}, devices: map[string]*device{}}
	s.ledger.init()
	s.mux.HandleFunc("GET /authorize", s.authorize)
	s.mux.HandleFunc("POST /authorize", s.decide)
	s.mux.HandleFunc("POST /device_authorization", s.deviceAuthorization)
	s.mux.HandleFunc("GET /device", s.devicePage)
	s.mux.HandleFunc("POST /device", s.enterDevice)
	s.mux.HandleFunc("POST /token", s.tokenEndpoint)
	s.mux.HandleFunc("POST /revoke", s.revoke)
	s.mux.HandleFunc("POST /introspect", s.introspect)
	s.mux.HandleFunc("/userinfo", s.userinfo)
	s.mux.HandleFunc("GET /jwks", s.jwks)
	s.mux.HandleFunc("GET /.well-known/openid-configuration", s.metadata)
	s.mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.metadata)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	s.mux.ServeHTTP(w, r)
}

// Start listens on addr ("host:port"; empty is a free port of loopback) until
// Close, and returns the server's URL.
func (s *Server) Start(addr string) (string, error) {
	listener, err := net.Listen("tcp", cmp.Or(addr, "127.0.0.1:0"))
	if err != nil {
		return "", fmt.Errorf("start an authorization server on %s: %w", addr, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = cmp.Or(s.url, "http://"+listener.Addr().String())
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func(server *http.Server) { _ = server.Serve(listener) }(s.http) // ends with Close
	return s.url, nil
}

// Close releases what stalls and cuts every connection.
func (s *Server) Close() error {
	s.ClearFaults()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}

// SetClockSkew makes the server's clock run ahead, or behind if negative: what it issues
// expires earlier or later than reported.
func (s *Server) SetClockSkew(skew time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = skew
}

func (s *Server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config.Now().Add(s.skew)
}

// issuer is the server's own URL.
func (s *Server) issuer(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.url != "":
		return s.url
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
