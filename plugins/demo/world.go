package demo

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Config of a World.
type Config struct {
	// FirstPort is the port of the first emulator on 127.0.0.1, the others follow;
	// 0 takes free ports.
	FirstPort int
	// AccessTTL is the life of access tokens; 0 is what each service really has.
	AccessTTL time.Duration
	// CodeTTL is the life of authorization codes; 0 is what each service has.
	CodeTTL time.Duration
	// Secret is what client secrets are made of, so that they stay the same from
	// one start to the next; "" makes new ones.
	Secret string
	// Grants is a file in which the emulators keep their grants from one start to the
	// next; "" keeps none.
	Grants string
}

// World is a set of running emulators.
type World struct {
	// Services are the emulated ones that people authorize in a browser, one for each
	// provider.
	Services []*Service
	// More are those that the hub gets tokens from otherwise.
	More []*Service

	config Config
	ports  int
	closes []func() error

	over    chan struct{} // closed by Close
	kept    sync.WaitGroup
	written []byte // what Config.Grants holds
}

// Service is an emulated service and what an administrator enters to add it.
type Service struct {
	// Provider is the name of the provider for it.
	Provider string
	// Name and Title are proposals for the hub.
	Name, Title            string
	ClientID, ClientSecret string
	Scopes                 []string
	Options                map[string]any
	// Address is where the emulator listens.
	Address string
	// Grant is how a connection gets its tokens; "" is the authorization code. Fields are
	// what a person enters for a login or a key.
	Grant  string
	Fields map[string]any
	// Life is how long a key lives, which the person who enters it knows; zero is unknown.
	Life time.Duration

	// Register registers the hub's redirect URI at the service.
	Register func(redirectURI string)
	// TokenState is "valid", "expired", "revoked" or "unknown".
	TokenState func(accessToken string) string
	// Spent counts refresh tokens that were presented a second time.
	Spent func() int
	// SetOnToken sets what is called when tokens were issued, before the reply is
	// written; the argument is the grant_type.
	SetOnToken func(func(grantType string))
	// grants is the state of the emulator.
	grants keeper
	// api builds a call of the service's API with a token.
	api func(accessToken string) (*http.Request, error)
}

// Start starts every emulator.
func Start(config Config) (*World, error) {
	if config.Secret == "" {
		config.Secret = rand.Text()
	}
	w := &World{config: config, over: make(chan struct{})}
	for _, add := range []func(*World) error{addBitrix24, addTaxcomKassa, addGoogle, addOAuth2, addClientCredentials, addLogins, addStaticKeys, addDevice} {
		if err := add(w); err != nil {
			return nil, errors.Join(err, w.stop())
		}
	}
	if config.Grants == "" {
		return w, nil
	}
	if err := w.load(); err != nil {
		return nil, errors.Join(err, w.stop())
	}
	w.kept.Go(w.keep)
	return w, nil
}

// Close stops every emulator. Errors: the grants could not be kept.
func (w *World) Close() error {
	close(w.over)
	w.kept.Wait()
	err := w.stop()
	if w.config.Grants != "" {
		err = errors.Join(err, w.save())
	}
	return err
}

func (w *World) stop() error {
	var errs []error
	for _, stop := range w.closes {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}

// Service returns the emulated service of a provider; nil if there is none.
func (w *World) Service(provider string) *Service {
	for _, s := range slices.Concat(w.Services, w.More) {
		if s.Provider == provider {
			return s
		}
	}
	return nil
}

// process is a process that calls a service: no provider, so it has a network.
var process = &http.Client{Timeout: 30 * time.Second}

// Confirm calls the service's API with a token, as a process would. An error is the
// service's refusal.
func (s *Service) Confirm(ctx context.Context, accessToken string) error {
	req, err := s.api(accessToken)
	if err != nil {
		return err
	}
	reply, err := process.Do(req.WithContext(ctx))
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(reply.Body, 1<<20))
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: the token is %s", s.Title, reply.Status, s.TokenState(accessToken))
	}
	return nil
}

// address is where the next emulator listens.
func (w *World) address() string {
	if w.config.FirstPort == 0 {
		return net.JoinHostPort("127.0.0.1", "0")
	}
	w.ports++
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(w.config.FirstPort+w.ports-1))
}

// secret derives a client secret.
func (w *World) secret(name string) string {
	sum := sha256.Sum256([]byte(name + "\x00" + w.config.Secret))
	return hex.EncodeToString(sum[:20])
}

func (w *World) add(s *Service, stop func() error) {
	w.Services = append(w.Services, s)
	w.closes = append(w.closes, stop)
}

// ttl is the configured life of access tokens, or the service's own.
func (w *World) ttl(own time.Duration) time.Duration { return cmp.Or(w.config.AccessTTL, own) }

// bearer builds a GET with the token in the Authorization header.
func bearer(address string) func(string) (*http.Request, error) {
	return func(accessToken string) (*http.Request, error) {
		req, err := http.NewRequest(http.MethodGet, address, nil)
		if err == nil {
			req.Header.Set("Authorization", "Bearer "+accessToken)
		}
		return req, err
	}
}
