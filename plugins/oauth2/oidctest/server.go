package oidctest

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Client is a client as oidc-provider registers it (RFC 7591).
type Client struct {
	ClientID      string   `json:"client_id"`
	ClientSecret  string   `json:"client_secret,omitempty"`
	Auth          string   `json:"token_endpoint_auth_method"`
	Algorithm     string   `json:"token_endpoint_auth_signing_alg,omitempty"`
	JWKSURI       string   `json:"jwks_uri,omitempty"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	RedirectURIs  []string `json:"redirect_uris"`
	// PushRequired is set for a client whose authorization requests are to be pushed
	// (RFC 9126), DPoPBound for one whose tokens are to be bound (RFC 9449).
	PushRequired bool `json:"require_pushed_authorization_requests,omitempty"`
	DPoPBound    bool `json:"dpop_bound_access_tokens,omitempty"`
}

// completed is the client with what follows from its grants.
func (c Client) completed() Client {
	if c.GrantTypes == nil {
		c.GrantTypes = []string{"authorization_code", "refresh_token"}
	}
	c.ResponseTypes = []string{}
	if slices.Contains(c.GrantTypes, "authorization_code") {
		c.ResponseTypes = []string{"code"}
	}
	if c.RedirectURIs == nil {
		c.RedirectURIs = []string{}
	}
	return c
}

// Config is how a server is started.
type Config struct {
	// Dir is this package's folder.
	Dir string
	// AccessLife and RefreshLife of tokens, in whole seconds; the latter is a day if zero.
	AccessLife, RefreshLife time.Duration
	// Certificate and Key, in PEM, have it serve TLS and take certificates of clients.
	Certificate, Key string
	// Nonces has each DPoP proof carry a nonce of the server's.
	Nonces bool
	// Clients without GrantTypes get code and refresh_token.
	Clients []Client
}

func (c Config) environment() ([]string, error) {
	clients := make([]Client, len(c.Clients))
	for i := range clients {
		clients[i] = c.Clients[i].completed()
	}
	registered, err := json.Marshal(clients)
	whole := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	env := append(os.Environ(), "OIDC_CLIENTS="+string(registered), "OIDC_ACCESS_TTL="+whole(c.AccessLife))
	if c.RefreshLife > 0 {
		env = append(env, "OIDC_REFRESH_TTL="+whole(c.RefreshLife))
	}
	if c.Certificate != "" {
		env = append(env, "OIDC_TLS_CERT="+c.Certificate, "OIDC_TLS_KEY="+c.Key)
	}
	if c.Nonces {
		env = append(env, "OIDC_DPOP_NONCE=required")
	}
	return env, err
}

// ErrMissing says that Node.js or the packages are not installed.
var ErrMissing = errors.New("oidc-provider is not installed: run npm ci in plugins/oauth2/oidctest with Node.js, or make test")

// Server is a running oidc-provider.
type Server struct {
	// Issuer is its URL.
	Issuer string

	command *exec.Cmd
	stdin   io.WriteCloser
	log     bytes.Buffer // its standard error; read after Close

	mu    sync.Mutex
	lines *bufio.Scanner
}

// Start starts the server. Errors: ErrMissing.
func Start(c Config) (*Server, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "node_modules", "oidc-provider")); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	env, err := c.environment()
	if err != nil {
		return nil, err
	}
	s := &Server{command: exec.Command(node, "server.mjs")}
	s.command.Dir, s.command.Stderr, s.command.Env = c.Dir, &s.log, env
	if s.stdin, err = s.command.StdinPipe(); err != nil { // the server ends with it, also if this process is killed
		return nil, err
	}
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	s.lines = bufio.NewScanner(stdout)
	var ready struct{ Issuer string }
	if err := s.read(&ready); err != nil {
		return nil, errors.Join(fmt.Errorf("oidc-provider does not say where it listens: %w", err), s.Close())
	}
	s.Issuer = ready.Issuer
	return s, nil
}

// read reads the next line of JSON. The lines between are notices of oidc-provider's own.
func (s *Server) read(into any) error {
	for s.lines.Scan() {
		if line := s.lines.Bytes(); bytes.HasPrefix(line, []byte("{")) {
			return json.Unmarshal(line, into)
		}
	}
	return cmp.Or(s.lines.Err(), io.ErrUnexpectedEOF)
}

// Seen is what the server has seen.
type Seen struct {
	// Renewed counts token sets that were issued for a refresh token.
	Renewed int
	// Revoked counts grants that ended because a code or a refresh token came back
	// after it was used.
	Revoked int
	// Refused counts token requests that got no tokens.
	Refused int
	// Pushed counts authorization requests that were sent ahead.
	Pushed int
	// Bound counts token sets whose refresh token is bound to a key of the client's.
	Bound int
	// Auth counts token sets by the way in which the client has proven itself.
	Auth map[string]int
}

// Seen asks the server.
func (s *Server) Seen() (Seen, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var seen Seen
	if _, err := io.WriteString(s.stdin, "\n"); err != nil {
		return seen, fmt.Errorf("ask oidc-provider what it has seen: %w", err)
	}
	return seen, s.read(&seen)
}

// Close ends the server. An error holds what it said.
func (s *Server) Close() error {
	_ = s.stdin.Close()
	if err := s.command.Wait(); err != nil {
		return fmt.Errorf("oidc-provider ended (%w) and said:\n%s", err, s.log.String())
	}
	return nil
}
