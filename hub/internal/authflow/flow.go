package authflow

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/oauth2"

	"github.com/evergrant/evergrant/hub/internal/clock"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Options of a Flow.
type Options struct {
	Store  *store.Store
	Runner *operation.Runner
	Logger hclog.Logger
	// PublicURL is the hub's address for browsers, without a slash at the end.
	PublicURL string
	// TTL is how long a person may take to grant; 15 min.
	TTL time.Duration
	// MaxWait is how long a callback waits for the token request, which continues after
	// that; 30 s.
	MaxWait time.Duration
	// Granted is called after a connection got a grant, for example to wake the
	// scheduler, and to keep what was granted. Optional.
	Granted func(c connection.Connection)
	// Exchanging is called with how long after its callback a code is about to be sent to
	// the service; optional. It must not block.
	Exchanging func(after time.Duration)
	// Late is called with what came of an exchange for a connection that its callback did
	// not wait for. Optional.
	Late func(ctx context.Context, a *authdb.Authorization, finished *Finished, err error)
	// DeviceEnded is called with how a device authorization ended: with a grant, or with a
	// *Failure. Optional.
	DeviceEnded func(ctx context.Context, d *authdb.Device, finished *Finished, err error)
	// Clock is the time of the database, by which grants are dated; nil is this hub's own
	// clock.
	Clock *clock.Clock
}

// Flow starts and finishes authorizations. It is safe for concurrent use.
type Flow struct {
	o    Options
	work sync.WaitGroup // exchanges without a waiting caller

	devices devices
}

// New returns a Flow.
func New(o Options) *Flow {
	if o.Clock == nil {
		o.Clock = clock.New(clock.Options{})
	}
	if o.TTL <= 0 {
		o.TTL = 15 * time.Minute
	}
	if o.MaxWait <= 0 {
		o.MaxWait = 30 * time.Second
	}
	if o.Granted == nil {
		o.Granted = func(connection.Connection) {}
	}
	if o.Late == nil {
		o.Late = func(context.Context, *authdb.Authorization, *Finished, error) {}
	}
	if o.DeviceEnded == nil {
		o.DeviceEnded = func(context.Context, *authdb.Device, *Finished, error) {}
	}
	if o.Exchanging == nil {
		o.Exchanging = func(time.Duration) {}
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	return &Flow{o: o, devices: newDevices()}
}

// Wait returns when no exchange is in flight.
func (f *Flow) Wait() { f.work.Wait() }

// RedirectURI is where a service sends the browser back to: an address of its
// own for each service, so that a hostile authorization server cannot pass
// another's code off as its own (RFC 9700 section 4.4).
func (f *Flow) RedirectURI(svc service.Service) string {
	if svc.RedirectURI != "" {
		return svc.RedirectURI
	}
	return f.o.PublicURL + "/callback/" + svc.Name
}

// StartRequest describes an authorization of a connection, or of a grant that is not
// stored.
type StartRequest struct {
	// ConnectionID is the connection that gets the grant. Empty: the grant of ServiceID
	// is handed over once, and not stored.
	ConnectionID string
	ServiceID    string
	// UserID is the user who starts it.
	UserID string
	// Browser is the secret of the browser that is to finish it; see NewBrowser.
	Browser string
	// ReturnTo is the hub's page to go to afterwards, a path.
	ReturnTo string
	Lang     string
}

// Started is an authorization that waits for its callback.
type Started struct {
	// URL is where to send the browser.
	URL       string
	ExpiresAt time.Time
}

// Start begins an authorization.
// Errors: *store.DetachedError where no grant may be made, ErrNoBrowser.
func (f *Flow) Start(ctx context.Context, req StartRequest) (*Started, error) {
	if err := f.o.Store.Detached(ctx); err != nil {
		return nil, err
	}
	c := connection.Connection{ServiceID: req.ServiceID}
	if req.ConnectionID != "" {
		var err error
		if c, err = f.o.Store.Grants.Connection(ctx, req.ConnectionID); err != nil {
			return nil, err
		}
	}
	svc, err := f.o.Store.Services.Service(ctx, c.ServiceID)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(svc.Description.Grants, provider.GrantAuthorizationCode) || c.ID != "" && c.Grant != provider.GrantAuthorizationCode {
		return nil, ErrNoBrowser
	}
	svc.Scopes = c.ScopesToAsk(svc.Scopes)
	now := time.Now()
	state, nonce := randtoken.New(), randtoken.New()
	ask := provider.AuthCodeURLRequest{
		State: state, RedirectURI: f.RedirectURI(svc), Nonce: nonce, LoginHint: c.Account.Name,
		ForceConsent: forcesConsent(c, svc),
	}
	verifier := withPKCE(svc, &ask)
	address, err := f.o.Runner.AuthCodeURL(ctx, &operation.Op{Service: svc.At(now), Connection: c.ForProvider(), Now: now}, ask)
	if err != nil {
		return nil, err
	}
	if err := checkAddress(svc, address.URL); err != nil {
		return nil, err
	}
	a := authdb.Authorization{
		ID: store.NewID(), StateHash: randtoken.Hash(state), ServiceID: svc.ID, ConnectionID: c.ID, BrowserHash: randtoken.Hash(req.Browser),
		UserID: req.UserID, Verifier: verifier, Nonce: nonce, Data: address.Data, Scopes: svc.Scopes, RedirectURI: ask.RedirectURI,
		ReturnTo: req.ReturnTo, Lang: req.Lang, CreatedAt: now, ExpiresAt: now.Add(f.o.TTL),
	}
	if err := f.o.Store.Authorizations.CreateAuthorization(ctx, a); err != nil {
		return nil, err
	}
	return &Started{URL: address.URL, ExpiresAt: a.ExpiresAt}, nil
}

// forcesConsent reports whether consent has to be requested again: where the service
// renews by a refresh token, issues one only with a consent, and there is none that would
// stay valid.
func forcesConsent(c connection.Connection, svc service.Service) bool {
	c.Policy = connection.PolicyOf(svc.Description, c.Grant)
	return c.Policy.AutoRenew == provider.AutoRenewRefreshToken && !c.KeepsRefreshToken(c.Account, svc.Scopes)
}

// checkAddress holds the plugin to its declared hosts: the browser, too, is
// sent only there.
func checkAddress(svc service.Service, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return provider.Errorf(provider.Internal, "plugin_failed", "the plugin returned no usable address")
	}
	if _, ok := provider.MatchHost(svc.Description.Hosts, svc.ForProvider(), u); !ok {
		return provider.Errorf(provider.Internal, "plugin_failed", "the plugin wanted to send the browser to %s, which it does not declare", u.Host)
	}
	return nil
}

// NewBrowser makes the secret that binds an authorization to a browser; it is
// kept in a cookie there.
func NewBrowser() string { return randtoken.New() }

// withPKCE adds the code challenge (RFC 7636) if the service supports it, and returns its
// verifier; empty if not.
func withPKCE(svc service.Service, ask *provider.AuthCodeURLRequest) (verifier string) {
	if pkce := svc.Description.PKCE; pkce != provider.PKCES256 && pkce != provider.PKCERequired {
		return ""
	}
	verifier = oauth2.GenerateVerifier()
	ask.CodeChallenge = oauth2.S256ChallengeFromVerifier(verifier)
	return verifier
}

// take finds the authorization of a callback; it is gone afterwards.
func (f *Flow) take(ctx context.Context, svc service.Service, state string, browsers []string, now time.Time) (*authdb.Authorization, error) {
	if len(browsers) == 0 {
		return nil, store.ErrNotFound
	}
	if state == "" && svc.Description.StateNotEchoed {
		return f.o.Store.Authorizations.TakeAuthorizationByBrowser(ctx, svc.ID, browsers, now)
	}
	if state == "" {
		return nil, store.ErrNotFound
	}
	return f.o.Store.Authorizations.TakeAuthorizationOf(ctx, randtoken.Hash(state), browsers, now)
}

// failureKinds maps the errors of RFC 6749 section 4.1.2.1.
var failureKinds = map[string]provider.Kind{
	"access_denied":        provider.Denied,
	"consent_required":     provider.Denied,
	"interaction_required": provider.Denied,
	"login_required":       provider.Denied,
	// In the words of services.
	"user_cancelled_authorize":  provider.Denied, // LinkedIn
	"user_cancelled_login":      provider.Denied, // LinkedIn
	"user_cancelled":            provider.Denied,
	"user_canceled":             provider.Denied,
	"user_denied":               provider.Denied, // Meta
	"cancelled":                 provider.Denied,
	"canceled":                  provider.Denied,
	"denied":                    provider.Denied,
	"consent_declined":          provider.Denied,
	"authorization_declined":    provider.Denied,
	"access_declined":           provider.Denied,
	"user_cancelled_consent":    provider.Denied,
	"invalid_request":           provider.Blocked,
	"unauthorized_client":       provider.Blocked,
	"unsupported_response_type": provider.Blocked,
	"invalid_scope":             provider.Blocked,
	"invalid_client":            provider.Blocked,
	"redirect_uri_mismatch":     provider.Blocked,
	"server_error":              provider.Transient,
	"temporarily_unavailable":   provider.Transient,
}

// errorOf reads an error response of the authorization endpoint.
func errorOf(params url.Values) *provider.Error {
	code := params.Get("error")
	if code == "" {
		return nil
	}
	kind, known := failureKinds[strings.ReplaceAll(strings.ToLower(code), "-", "_")]
	if reason, told := failureKinds[strings.ToLower(params.Get("error_reason"))]; !known && told {
		kind, known = reason, true
	}
	if !known {
		kind = provider.Blocked
	}
	message := "the service did not grant access"
	if said := params.Get("error_description"); said != "" {
		message += ": " + printable(said)
	}
	return &provider.Error{Kind: kind, Code: printable(code), Message: message}
}

// printable cuts text of a stranger to one line of at most 200 runes.
func printable(s string) string {
	runes := []rune(strings.ToValidUTF8(s, "?"))
	runes = slices.DeleteFunc(runes, func(r rune) bool { return !unicode.IsGraphic(r) }) // controls, and marks that turn the direction
	return string(runes[:min(len(runes), 200)])
}

func wrap(action string, err error) error {
	if err == nil || errors.Is(err, store.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%s: %w", action, err)
}
