package googletest

import (
	"cmp"
	"net/http"
	"sync"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// serviceName is what the pages of the emulator say at their head.
const serviceName = "Google"

// Client is an OAuth client of the Google Cloud console.
type Client struct {
	ClientID, ClientSecret string
	// Name is shown at consent; empty means the ClientID.
	Name string
	// RedirectURIs are compared letter by letter.
	RedirectURIs []string
}

// Config is how an emulated Google behaves. The zero value behaves as documented.
type Config struct {
	Clients []Client
	// Accounts can log in; nil means emulator.DefaultDirectory.
	Accounts emulator.Directory
	// AccessTTL is 1 hour, CodeTTL 10 minutes unless set.
	AccessTTL, CodeTTL time.Duration
	// RefreshIdleTTL is how long a refresh token lives without use: 183 days unless set.
	RefreshIdleTTL time.Duration
	// RefreshTTL, if set, is how long a refresh token lives from its issue, whatever
	// its use: 7 days for an app in testing.
	RefreshTTL time.Duration
	// RefreshLimit is how many live refresh tokens a client may hold of one person: 100 unless set.
	RefreshLimit int
	// URL is the name by which the server speaks of itself; empty means where it listens.
	URL string
	// OnToken is called after tokens were issued and before the reply is written.
	OnToken func(grantType string)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Server is an emulated Google. Tests ask it as their judge through the Ledger, and
// let things go wrong through the Front.
type Server struct {
	*emulator.Front
	*emulator.Ledger
	// URL is the address of the server, without a final slash; known after Start.
	URL string

	config Config
	site   *emulator.Site
	key    signingKey

	mu       sync.Mutex
	clients  map[string]Client
	consents map[consentKey]*consent
}

// New returns an emulated Google that listens nowhere yet.
func New(config Config) *Server {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Accounts == nil {
		config.Accounts = emulator.DefaultDirectory()
	}
	config.AccessTTL = cmp.Or(config.AccessTTL, time.Hour)
	config.CodeTTL = cmp.Or(config.CodeTTL, 10*time.Minute)
	config.RefreshIdleTTL = cmp.Or(config.RefreshIdleTTL, 183*24*time.Hour)
	config.RefreshLimit = cmp.Or(config.RefreshLimit, 100)
	s := &Server{
		Front:  emulator.NewFront(config.Now, refuse, tokenPath),
		Ledger: emulator.NewLedger(config.Now),
		URL:    config.URL, config: config, key: newSigningKey(),
		clients: map[string]Client{}, consents: map[consentKey]*consent{},
	}
	s.SetOnToken(config.OnToken)
	for _, client := range config.Clients {
		s.RegisterClient(client)
	}
	s.site = emulator.NewSite(s.Wrap(s.routes()))
	return s
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+authorizePath, s.authorize)
	mux.HandleFunc("POST "+authorizePath, s.authorize)
	mux.HandleFunc("POST "+tokenPath, s.token)
	mux.HandleFunc("POST "+revokePath, s.revoke)
	mux.HandleFunc(userinfoPath, s.userinfo)
	mux.HandleFunc("/tokeninfo", s.tokeninfo)
	mux.HandleFunc("GET /calendar/v3/users/me/calendarList", s.calendarList)
	mux.HandleFunc("GET "+certsPath, s.certs)
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	return mux
}

// Handler answers, for a caller that brings a listener of their own; then Config needs URL.
func (s *Server) Handler() http.Handler { return s.site.Handler() }

// Start listens on addr ("host:port"; empty means a free port of loopback).
func (s *Server) Start(addr string) error {
	s.site.URL = s.URL
	if err := s.site.Listen(addr); err != nil {
		return err
	}
	s.URL = s.site.URL
	s.site.Serve()
	return nil
}

// Close stops at once.
func (s *Server) Close() error { return s.site.Close() }

// RegisterClient adds a client, or changes the one with the same ClientID.
func (s *Server) RegisterClient(client Client) {
	client.Name = cmp.Or(client.Name, client.ClientID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[client.ClientID] = client
}

func (s *Server) client(clientID string) (Client, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	client, ok := s.clients[clientID]
	return client, ok
}
