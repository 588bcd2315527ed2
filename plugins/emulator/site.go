package emulator

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Site is one host of an emulated service. Most have one, some have an
// authorization server and a token server that are different hosts.
type Site struct {
	// URL is where the site is reached, without a final slash. Start fills it in
	// unless a name of the site's own was set before.
	URL string

	handler  http.Handler
	listener net.Listener
	server   *http.Server
}

// NewSite returns a site that answers by handler and listens nowhere yet.
func NewSite(handler http.Handler) *Site { return &Site{handler: handler} }

// Handler returns the handler, for callers with a listener of their own.
func (s *Site) Handler() http.Handler { return s.handler }

// Start listens on addr and serves until Close.
func (s *Site) Start(addr string) error {
	if err := s.Listen(addr); err != nil {
		return err
	}
	s.Serve()
	return nil
}

// Listen takes addr ("host:port"; empty means a free port of loopback), so that URL is
// known, and accepts no connection yet.
func (s *Site) Listen(addr string) error {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("start an emulator on %s: %w", addr, err)
	}
	if s.URL == "" {
		s.URL = reachable(listener.Addr())
	}
	s.listener = listener
	return nil
}

// Serve answers, in the background, what comes to the address of Listen.
func (s *Site) Serve() {
	s.server = &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second}
	go func(server *http.Server, listener net.Listener) {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("emulator on %s: %v", listener.Addr(), err))
		}
	}(s.server, s.listener)
}

// Close stops at once: open connections are cut, and requests that hang end.
func (s *Site) Close() error {
	switch {
	case s.server != nil:
		return s.server.Close()
	case s.listener != nil:
		return s.listener.Close()
	default:
		return nil
	}
}

// reachable turns the address of a listener into a URL that a browser on the same
// machine can open.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
