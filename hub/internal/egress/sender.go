package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Options say what a Sender may do.
type Options struct {
	// Version is sent to services in User-Agent, which some of them require.
	Version string
	// Networks are trusted by configuration although they are not public.
	Networks []netip.Prefix
	// Refused is called for requests that were not sent, equal ones at most once a
	// minute; may be nil.
	Refused func(Refusal)
	// Dial opens connections; nil is the system's network. The address policy checks only
	// connections of the system's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Counted is called with the reason of every request that was not sent; may be nil.
	Counted func(reason string)
}

// Sender sends requests of plugins. It is safe for concurrent use.
type Sender struct {
	// public and private carry requests to hosts of either kind, proxy those that the
	// environment's proxy takes. They are apart, so that no kept connection is used by
	// a service that may not make it.
	public, private, proxy *http.Transport
	networks               []netip.Prefix
	refusals               reporter
	counted                func(reason string)
	userAgent              string
}

// Target is the service that a request is sent for, and where it may go.
type Target struct {
	Service provider.Service
	// Provider is the provider's name, for the record.
	Provider string
	// Hosts are the declared ones.
	Hosts []provider.Host
	// Bound are the hosts that the service's secrets and grants are for, whatever its
	// description declares; empty for no restriction.
	Bound []provider.Host
	// PrivateHosts are those inside a private network that an administrator allowed:
	// a name or address, with a port or for all.
	PrivateHosts []string
	// Certificate is presented to the host that is asked; nil for none.
	Certificate *tls.Certificate
}

// New returns a Sender.
func New(o Options) *Sender {
	s := &Sender{
		userAgent: "Evergrant/" + o.Version, networks: o.Networks,
		refusals: reporter{to: o.Refused, reported: bounded.New[Refusal, reported](maxReported)},
	}
	if s.counted = o.Counted; s.counted == nil {
		s.counted = func(string) {}
	}
	through := func(control controlFunc) *http.Transport {
		if o.Dial != nil {
			return transport(o.Dial)
		}
		dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, ControlContext: control}
		return transport(dialer.DialContext)
	}
	s.proxy = through(nil)
	s.proxy.Proxy = http.ProxyFromEnvironment
	s.public, s.private = through(s.publicOnly), through(s.allowedHosts)
	return s
}

type controlFunc = func(ctx context.Context, network, address string, conn syscall.RawConn) error

func transport(dial dialFunc) *http.Transport {
	return &http.Transport{
		DialContext:         crashpoint.Dial(guarded(dial)),
		TLSHandshakeTimeout: 10 * time.Second,
		// HTTP/1.1 only. One connection carries one exchange, so that a connection that
		// breaks makes one reply uncertain and not a hundred, and nothing of a request
		// is written before Hooks.Before has agreed.
		Protocols:           http1(),
		MaxIdleConnsPerHost: 64,
		// The limits of an endpoint are package endpoint's; a reply that takes minutes
		// must not delay others here. Shorter than servers close idle connections
		// (Node.js: 5 s): whether a request that meets the closing was received is
		// unknown.
		IdleConnTimeout:        4 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

func http1() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return p
}

// Close drops idle connections.
func (s *Sender) Close() {
	for _, t := range []*http.Transport{s.public, s.private, s.proxy} {
		t.CloseIdleConnections()
	}
}

// Send checks and sends one request for a service. Failures are
// *providerplugin.RelayError and say whether bytes may have gone out; for an
// address in a private network its Err is a *PrivateError.
func (s *Sender) Send(ctx context.Context, to Target, req *providerplugin.HTTPRequest, hooks Hooks) (*providerplugin.HTTPResponse, error) {
	u, err := url.Parse(req.URL)
	if err != nil || u.Host == "" {
		return nil, s.refuse(to, "?", ReasonRequest, errors.New("the plugin asked for an address that cannot be read"))
	}
	host, ok := provider.MatchHost(to.Hosts, to.Service, u)
	if !ok {
		return nil, s.refuse(to, u.Host, ReasonUndeclared,
			fmt.Errorf("the plugin asked for %s://%s, which is not among the hosts that it declares for this service", u.Scheme, u.Host))
	}
	if len(to.Bound) > 0 {
		bound, known := provider.MatchHost(to.Bound, provider.Service{}, u)
		if !known {
			return nil, s.refuse(to, u.Host, ReasonUnbound,
				fmt.Errorf("the plugin asked for %s://%s, which nobody has entered the service's secrets for", u.Scheme, u.Host))
		}
		host.ClientSecret = host.ClientSecret && bound.ClientSecret
	}
	if !host.ClientSecret && carriesSecret(req, to.Service.ClientSecret) {
		return nil, s.refuse(to, u.Host, ReasonSecret,
			fmt.Errorf("the plugin wanted to send client_secret to %s, which is not declared to see it", u.Host))
	}
	over, err := s.over(to, u)
	if err != nil {
		return nil, s.refuse(to, u.Host, ReasonPrivate, err)
	}
	ctx, span := tracing.StartClient(ctx, "HTTP "+methodOf(req), attribute.String("http.request.method", methodOf(req)),
		attribute.String("server.address", u.Hostname()), attribute.String("url.scheme", u.Scheme))
	if to.Certificate != nil {
		over = presenting(over, *to.Certificate)
		defer over.CloseIdleConnections()
	}
	resp, err := s.roundTrip(context.WithValue(ctx, hostKey{}, u.Host), over, u, req, hooks)
	endSpan(span, resp, err)
	if private, ok := errors.AsType[*PrivateError](err); ok {
		return nil, s.refuse(to, u.Host, ReasonPrivate, private)
	}
	return resp, err
}

// over picks the transport for a request.
func (s *Sender) over(to Target, u *url.URL) (*http.Transport, error) {
	if allowed(to.PrivateHosts, u) {
		return s.private, nil
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil || proxy == nil {
		return s.public, nil //nolint:nilerr // an unreadable proxy is none
	}
	return s.proxy, s.proxied(u)
}

// presenting is a transport that authenticates by a client certificate. It lives for one
// request, so that no connection which is authenticated as one client serves another.
func presenting(over *http.Transport, certificate tls.Certificate) *http.Transport {
	own := over.Clone()
	if own.TLSClientConfig == nil {
		own.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	own.TLSClientConfig.Certificates = []tls.Certificate{certificate}
	own.DisableKeepAlives = true
	return own
}

// refuse makes the error of a request that is not sent, and reports it.
func (s *Sender) refuse(to Target, host, reason string, why error) *providerplugin.RelayError {
	s.counted(reason)
	s.refusals.report(time.Now(), Refusal{Service: to.Service.Name, Provider: to.Provider, Host: host, Reason: reason, Detail: why.Error()})
	return &providerplugin.RelayError{Refused: true, Message: why.Error(), Err: why}
}

func hopByHop(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Host", "Content-Length", "Cookie":
		return true
	}
	return false
}

// failed describes a failure without the address's query, which may hold a code or a
// secret (net/http's own errors quote it).
func failed(u *url.URL, written bool, err error) *providerplugin.RelayError {
	why := "the connection failed"
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		why = "its name could not be resolved"
		if dns.IsNotFound {
			why = "there is no such host"
		}
	} else if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		why = "it did not answer in time"
	} else if errors.Is(err, context.Canceled) {
		why = "the request was given up"
	} else if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		why = "no connection could be made"
	} else if strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "x509:") {
		why = "its TLS certificate was not accepted"
	}
	return &providerplugin.RelayError{Written: written, Message: fmt.Sprintf("no reply from %s: %s", u.Host, why), Err: err}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
