package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
)

// OIDC is a sign-in service with OpenID Connect, by which people log in to the web hub.
// It is safe for concurrent use.
type OIDC struct {
	o      OIDCOptions
	client *http.Client

	mu   sync.Mutex
	read *signInMetadata
}

// signInMetadata is the service's discovery document.
type signInMetadata struct {
	*oidc.Provider

	// issuer is its name, and sendsIssuer whether callbacks carry that (RFC 9207).
	issuer      string
	sendsIssuer bool
}

// wrongIssuer reports whether a callback comes from another service, or hides which: one
// that announces iss sends it always (RFC 9207 section 2.4).
func (m *signInMetadata) wrongIssuer(iss string) bool {
	return iss != m.issuer && (iss != "" || m.sendsIssuer)
}

// OIDCOptions are the registration of this hub at the sign-in service.
type OIDCOptions struct {
	Issuer, ClientID, ClientSecret string
	// RedirectURI is the hub's own address that is registered there.
	RedirectURI string
	// Title is what people call it.
	Title string
}

// oidcTimeout bounds each request to the sign-in service.
const oidcTimeout = 10 * time.Second

// NewOIDC returns the sign-in service; nil without an issuer. It makes no request yet, so
// that a hub starts while the service is down.
func NewOIDC(o OIDCOptions) *OIDC {
	if o.Issuer == "" {
		return nil
	}
	return &OIDC{o: o, client: &http.Client{Timeout: oidcTimeout}}
}

// Title is what people call the service; "" for none.
func (s *OIDC) Title() string {
	if s == nil {
		return ""
	}
	return s.o.Title
}

// OIDCPending is a sign-in that was begun. It holds secrets.
type OIDCPending struct{ State, Nonce, Verifier string }

// Identity is the person that the sign-in service has authenticated.
type Identity struct {
	// Subject is the issuer and its name for the person, which never change.
	Subject string
	// Email is empty unless the service has verified it.
	Email string
	Name  string
	// AuthenticatedAt is when the person has last shown the service that it is them; zero
	// if it does not say.
	AuthenticatedAt time.Time
}

// Errors of signing in by a sign-in service.
var (
	// ErrOIDCAway is a sign-in service that does not answer or whose answers cannot be
	// read.
	ErrOIDCAway = errors.New("the sign-in service does not answer as it should")
	// ErrOIDCRefused is an answer that does not belong to a sign-in of this browser.
	ErrOIDCRefused = rule("the sign-in was not accepted")
	// ErrUnknownPerson is a person without an invitation.
	ErrUnknownPerson = rule("the sign-in service authenticated a person who has not been invited to this hub")
)

// provider reads the service's discovery document, once it is available.
func (s *OIDC) provider(ctx context.Context) (*signInMetadata, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read != nil {
		return s.read, nil
	}
	// What is read outlives the request: the keys are fetched with this context.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), s.client)
	p, err := oidc.NewProvider(ctx, s.o.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: read %s/.well-known/openid-configuration: %w", ErrOIDCAway, s.o.Issuer, err)
	}
	var said struct {
		Issuer      string `json:"issuer"`
		SendsIssuer bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := p.Claims(&said); err != nil {
		return nil, fmt.Errorf("%w: its metadata cannot be read", ErrOIDCAway)
	}
	s.read = &signInMetadata{Provider: p, issuer: said.Issuer, sendsIssuer: said.SendsIssuer}
	return s.read, nil
}

// registered is this hub's client configuration at the service.
func (s *OIDC) registered(p *signInMetadata) *oauth2.Config {
	return &oauth2.Config{
		ClientID: s.o.ClientID, ClientSecret: s.o.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: s.o.RedirectURI,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// freshFor is the maximum age of an authentication at the service that has to be fresh,
// in seconds (OpenID Connect Core section 3.1.2.1).
const freshFor = "300"

// Begin starts a sign-in: where to send the browser, and what to keep in its session.
// With fresh the service authenticates the person again, even with a session there.
func (s *OIDC) Begin(ctx context.Context, fresh bool) (address string, pending OIDCPending, err error) {
	p, err := s.provider(ctx)
	if err != nil {
		return "", pending, err
	}
	pending = OIDCPending{State: randtoken.New(), Nonce: randtoken.New(), Verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{oidc.Nonce(pending.Nonce), oauth2.S256ChallengeOption(pending.Verifier)}
	if fresh {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", freshFor))
	}
	address = s.registered(p).AuthCodeURL(pending.State, options...)
	return address, pending, nil
}

// OIDCAnswer is what the browser brought back from the service.
type OIDCAnswer struct{ Code, State, Issuer string }

// Finish ends a sign-in with what the browser brought back. Errors: ErrOIDCAway,
// ErrOIDCRefused. They hold no secret.
func (s *OIDC) Finish(ctx context.Context, answer OIDCAnswer, pending OIDCPending) (Identity, error) {
	if pending.State == "" || answer.State != pending.State || answer.Code == "" {
		return Identity{}, ErrOIDCRefused
	}
	p, err := s.provider(ctx)
	if err != nil {
		return Identity{}, err
	}
	if p.wrongIssuer(answer.Issuer) { // before the code is sent
		return Identity{}, fmt.Errorf("%w: the callback does not name %s as its issuer (RFC 9207)", ErrOIDCRefused, p.issuer)
	}
	ctx = oidc.ClientContext(ctx, s.client)
	token, err := s.registered(p).Exchange(ctx, answer.Code, oauth2.VerifierOption(pending.Verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return Identity{}, fmt.Errorf("%w: the token endpoint answered %s", ErrOIDCRefused, refused.ErrorCode)
	}
	if err != nil {
		return Identity{}, ErrOIDCAway // its text may hold what was sent
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := p.Verifier(&oidc.Config{ClientID: s.o.ClientID}).Verify(ctx, raw)
	if err != nil || verified.Nonce != pending.Nonce {
		return Identity{}, fmt.Errorf("%w: its ID token is not for this sign-in", ErrOIDCRefused)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
		Name     string `json:"name"`
		AuthTime int64  `json:"auth_time"`
	}
	if err := verified.Claims(&claims); err != nil {
		return Identity{}, fmt.Errorf("%w: its claims cannot be read", ErrOIDCRefused)
	}
	if claims.Email == "" {
		// Claims of scopes are the UserInfo endpoint's if there is an access token
		// (OpenID Connect Core section 5.4). A known person needs none.
		if info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token)); err == nil && info.Subject == verified.Subject {
			_ = info.Claims(&claims) // what can be read of them
		}
	}
	who := Identity{Subject: verified.Issuer + " " + verified.Subject, Name: claims.Name}
	if claims.AuthTime > 0 {
		who.AuthenticatedAt = time.Unix(claims.AuthTime, 0)
	}
	if claims.Verified {
		who.Email = claims.Email
	}
	return who, nil
}
