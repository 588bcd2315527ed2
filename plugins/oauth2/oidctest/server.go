package oidctest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Client is a client as oidc-provider registers it (RFC 7591).
type Client struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret,omitempty"`
	Auth         string   `json:"token_endpoint_auth_method"`
	GrantTypes   []string `json:"grant_types"`
	RedirectURIs []string `json:"redirect_uris"`
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

// Start starts the server that is in dir, this package's folder. Access tokens
// live accessLife, in whole seconds. Clients without GrantTypes get code and
// refresh_token. Errors: ErrMissing.
func Start(dir string, accessLife time.Duration, clients ...Client) (*Server, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider")); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	for i := range clients {
		if clients[i].GrantTypes == nil {
			clients[i].GrantTypes = []string{"authorization_code", "refresh_token"}
		}
	}
	registered, err := json.Marshal(clients)
	if err != nil {
		return nil, err
	}
	s := &Server{command: exec.Command(node, "server.mjs")}
	s.command.Dir, s.command.Stderr = dir, &s.log
	s.command.Env = append(os.Environ(), "OIDC_CLIENTS="+string(registered), "OIDC_ACCESS_TTL="+strconv.Itoa(int(accessLife.Seconds())))
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

func (s *Server) read(into any) error {
	if !s.lines.Scan() {
		return io.ErrUnexpectedEOF
	}
	return json.Unmarshal(s.lines.Bytes(), into)
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
