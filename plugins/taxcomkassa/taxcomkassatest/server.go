package taxcomkassatest

import (
	"cmp"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

const (
	// serviceName is what the pages of the emulator say at their head.
	serviceName = "Такском-Касса"
	// onlyScope is the one scope there is.
	onlyScope = "api"

	tokenPath   = "/core/connect/token"
	prolongPath = "/core/connect/prolong"
)

// Client is a registration at Taxcom.
type Client struct {
	ClientID, ClientSecret string
	// Name is shown at consent; empty means the ClientID.
	Name string
	// RedirectURIs are compared letter by letter.
	RedirectURIs []string
}

// Config is how an emulated Taxcom-Kassa behaves. The zero value behaves as
// documented, and as IdentityServer3 where nothing is.
type Config struct {
	Clients []Client
	// Accounts can log in; nil means emulator.DefaultDirectory.
	Accounts emulator.Directory
	// AccessTTL is 3600000 seconds, CodeTTL 5 minutes unless set.
	AccessTTL, CodeTTL time.Duration
	// ExpiresInUnit is what expires_in counts: time.Second unless set.
	ExpiresInUnit time.Duration
	// AcceptRawBase64 accepts client credentials without "Basic " before them, as
	// the vendor's page shows them.
	AcceptRawBase64 bool
	// ReadRedirectURL makes the authorize server read redirect_url, as the vendor's
	// page has it, instead of redirect_uri.
	ReadRedirectURL bool
	// DropState leaves state out of the redirect.
	DropState bool
	// Prolong opens the prolongation endpoint; ProlongSameToken makes it give the
	// same token more time instead of a new token in its place.
	Prolong, ProlongSameToken bool
	// AuthorizeServerURL and TokenServerURL are the names of the two hosts; empty
	// means where they listen.
	AuthorizeServerURL, TokenServerURL string
	// OnToken is called after a token was issued and before the reply is written,
	// with the grant_type, or "prolong".
	OnToken func(grantType string)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Server is an authorize server and a token server. Tests ask it as their judge
// through the Ledger, and let things go wrong through the Front.
type Server struct {
	*emulator.Front
	*emulator.Ledger
	// AuthorizeServerURL and TokenServerURL are the addresses of the two hosts,
	// without a final slash; known after Start.
	AuthorizeServerURL, TokenServerURL string

	config                       Config
	authorizeServer, tokenServer *emulator.Site

	mu      sync.Mutex
	clients map[string]Client
}

// New returns an emulated Taxcom-Kassa that listens nowhere yet.
func New(config Config) *Server {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Accounts == nil {
		config.Accounts = emulator.DefaultDirectory()
	}
	config.AccessTTL = cmp.Or(config.AccessTTL, 3600000*time.Second)
	config.CodeTTL = cmp.Or(config.CodeTTL, 5*time.Minute)
	config.ExpiresInUnit = cmp.Or(config.ExpiresInUnit, time.Second)
	s := &Server{
		Front:  emulator.NewFront(config.Now, refuse, tokenPath, prolongPath),
		Ledger: emulator.NewLedger(config.Now),
		config: config, clients: map[string]Client{},
		AuthorizeServerURL: config.AuthorizeServerURL, TokenServerURL: config.TokenServerURL,
	}
	s.SetOnToken(config.OnToken)
	for _, client := range config.Clients {
		s.RegisterClient(client)
	}
	s.authorizeServer = emulator.NewSite(s.Wrap(s.authorizeServerRoutes()))
	s.tokenServer = emulator.NewSite(s.Wrap(s.tokenServerRoutes()))
	return s
}

func (s *Server) authorizeServerRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /core/connect/authorize", s.authorize)
	mux.HandleFunc("POST /core/connect/authorize", s.authorize)
	return mux
}

func (s *Server) tokenServerRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+tokenPath, s.token)
	if s.config.Prolong {
		mux.HandleFunc("POST "+prolongPath, s.prolong)
	}
	mux.HandleFunc("GET /API/v2/KKTList", s.kktList)
	return mux
}

// AuthorizeServerHandler answers for the authorize server, for a caller that brings
// listeners of their own.
func (s *Server) AuthorizeServerHandler() http.Handler { return s.authorizeServer.Handler() }

// TokenServerHandler answers for the token server and the API.
func (s *Server) TokenServerHandler() http.Handler { return s.tokenServer.Handler() }

// Start listens for the authorize server and for the token server, each at
// "host:port"; empty means a free port of loopback.
func (s *Server) Start(authorizeServerAddr, tokenServerAddr string) error {
	s.authorizeServer.URL, s.tokenServer.URL = s.AuthorizeServerURL, s.TokenServerURL
	err := errors.Join(s.authorizeServer.Start(authorizeServerAddr), s.tokenServer.Start(tokenServerAddr))
	if err != nil {
		return errors.Join(err, s.Close())
	}
	s.AuthorizeServerURL, s.TokenServerURL = s.authorizeServer.URL, s.tokenServer.URL
	return nil
}

// ProlongURL is the address that stands for the prolongation method; it answers
// only with Config.Prolong.
func (s *Server) ProlongURL() string { return s.TokenServerURL + prolongPath }

// Close stops both hosts at once.
func (s *Server) Close() error {
	return errors.Join(s.authorizeServer.Close(), s.tokenServer.Close())
}

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
