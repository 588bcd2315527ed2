package bitrix24test

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// serviceName is what the pages of the emulator say at their head.
const serviceName = "Bitrix24"

// App is the card of an application that is registered at the portal.
type App struct {
	ClientID, ClientSecret string
	// Name is shown at consent; empty means the ClientID.
	Name string
	// RedirectURI is where codes are sent; empty means that the page shows them.
	RedirectURI string
	// Scopes are granted to everybody who authorizes; empty means user, crm and task.
	Scopes []string
	// Status is L (local, the default), F, D, T, P or S.
	Status string
	// Blocked, if set, is the error code that answers every token request of the app,
	// such as PAYMENT_REQUIRED or NOT_INSTALLED.
	Blocked string
}

// Config is how an emulated Bitrix24 behaves. The zero value behaves as documented.
type Config struct {
	Apps []App
	// Accounts can log in; nil means emulator.DefaultDirectory.
	Accounts emulator.Directory
	// AccessTTL is 1 hour, RefreshTTL 180 days, CodeTTL 30 seconds unless set.
	AccessTTL, RefreshTTL, CodeTTL time.Duration
	// MemberID is the portal's own identity, 32 hexadecimal digits.
	MemberID string
	// PortalURL and AuthServerURL are the names by which the two hosts speak of
	// themselves; empty means where they listen.
	PortalURL, AuthServerURL string
	// OnToken is called after tokens were issued and before the reply is written.
	OnToken func(grantType string)
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// Server is a portal and an authorization server. Tests ask it as their judge
// through the Ledger, and let things go wrong through the Front.
type Server struct {
	*emulator.Front
	*emulator.Ledger
	// PortalURL and AuthServerURL are the addresses of the two hosts, without a
	// final slash; known after Start.
	PortalURL, AuthServerURL string

	config             Config
	portal, authServer *emulator.Site

	mu   sync.Mutex
	apps map[string]App
}

// New returns an emulated Bitrix24 that listens nowhere yet.
func New(config Config) *Server {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Accounts == nil {
		config.Accounts = emulator.DefaultDirectory()
	}
	config.AccessTTL = cmp.Or(config.AccessTTL, time.Hour)
	config.RefreshTTL = cmp.Or(config.RefreshTTL, 180*24*time.Hour)
	config.CodeTTL = cmp.Or(config.CodeTTL, 30*time.Second)
	config.MemberID = cmp.Or(config.MemberID, "e7e26a9d0b1f4c3d8a5f6071b2c3d4e5")
	s := &Server{
		Front:  emulator.NewFront(config.Now, refuse, "/oauth/token/"),
		Ledger: emulator.NewLedger(config.Now),
		config: config, apps: map[string]App{},
		PortalURL: config.PortalURL, AuthServerURL: config.AuthServerURL,
	}
	s.SetOnToken(config.OnToken)
	for _, app := range config.Apps {
		s.RegisterApp(app)
	}
	s.portal = emulator.NewSite(s.Wrap(s.portalRoutes()))
	s.authServer = emulator.NewSite(s.Wrap(s.authServerRoutes()))
	return s
}

func (s *Server) portalRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oauth/authorize/{$}", s.authorize)
	mux.HandleFunc("POST /oauth/authorize/{$}", s.authorize)
	mux.HandleFunc("/rest/{method}", s.portalMethod)
	mux.HandleFunc("/rest/{method}/{$}", s.portalMethod)
	return mux
}

func (s *Server) authServerRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oauth/token/{$}", s.token)
	mux.HandleFunc("POST /oauth/token/{$}", s.token)
	mux.HandleFunc("/rest/app.info", s.authServerAppInfo)
	return mux
}

// PortalHandler and AuthServerHandler answer for the two hosts, for whoever brings
// listeners of their own; then Config needs PortalURL and AuthServerURL.
func (s *Server) PortalHandler() http.Handler { return s.portal.Handler() }

// AuthServerHandler is the other host of PortalHandler.
func (s *Server) AuthServerHandler() http.Handler { return s.authServer.Handler() }

// Start listens for the portal and for the authorization server, each at
// "host:port"; empty means a free port of loopback.
func (s *Server) Start(portalAddr, authServerAddr string) error {
	s.portal.URL, s.authServer.URL = s.PortalURL, s.AuthServerURL
	// Each host tells the other's address, so nobody is let in before both are known.
	if err := errors.Join(s.portal.Listen(portalAddr), s.authServer.Listen(authServerAddr)); err != nil {
		return errors.Join(err, s.Close())
	}
	s.PortalURL, s.AuthServerURL = s.portal.URL, s.authServer.URL
	s.portal.Serve()
	s.authServer.Serve()
	return nil
}

// Close stops both hosts at once.
func (s *Server) Close() error {
	return errors.Join(s.portal.Close(), s.authServer.Close())
}

// RegisterApp adds an application, or changes the card of one with the same ClientID.
func (s *Server) RegisterApp(app App) {
	app.Name = cmp.Or(app.Name, app.ClientID)
	app.Status = cmp.Or(app.Status, "L")
	if len(app.Scopes) == 0 {
		app.Scopes = []string{"user", "crm", "task"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[app.ClientID] = app
}

// RemoveApp deletes an application: from now on its client_id is unknown.
func (s *Server) RemoveApp(clientID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.apps, clientID)
}

// Apps returns the registered applications, by ClientID.
func (s *Server) Apps() []App {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.apps), func(a, b App) int { return cmp.Compare(a.ClientID, b.ClientID) })
}

func (s *Server) app(clientID string) (App, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, ok := s.apps[clientID]
	return app, ok
}
