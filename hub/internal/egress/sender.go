package egress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/trail"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Options say what a Sender may do.
type Options struct {
	// Version is told to services in User-Agent, which some of them require.
	Version string
	// Networks are those that the operator trusts although they are not public.
	Networks []netip.Prefix
	// Refused is told of requests that were not sent, the same at most once a minute;
	// nil is nobody.
	Refused func(Refusal)
	// Counted is told the reason of every request that was not sent; nil is nobody.
	Counted func(reason string)
}

// Sender sends requests of plugins. It is safe for concurrent use.
type Sender struct {
	// public and private carry requests to hosts of either kind, proxy those that the
	// environment's proxy takes. They are apart, so that no kept connection is used by
	// a service that may not make it.
	public, private, proxy *http.Transport
	networks               []netip.Prefix
	refusals               teller
	counted                func(reason string)
	userAgent              string
}

// Target is for whom a request is sent, and where it may go.
type Target struct {
	Service provider.Service
	// Provider is the provider's name, for the record.
	Provider string
	// Hosts are the declared ones.
	Hosts []provider.Host
	// PrivateHosts are those inside a private network that an administrator allowed:
	// a name or address, with a port or for all.
	PrivateHosts []string
}

// New returns a Sender.
func New(o Options) *Sender {
	s := &Sender{
		userAgent: "Evergrant/" + o.Version, networks: o.Networks,
		refusals: teller{to: o.Refused, told: map[Refusal]*told{}},
	}
	if s.counted = o.Counted; s.counted == nil {
		s.counted = func(string) {}
	}
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	s.proxy = transport(dialer)
	s.proxy.Proxy = http.ProxyFromEnvironment
	dialer.ControlContext = s.publicOnly
	s.public = transport(dialer)
	dialer.ControlContext = s.allowedHosts
	s.private = transport(dialer)
	return s
}

func transport(dialer net.Dialer) *http.Transport {
	return &http.Transport{
		DialContext:         crashpoint.Dial(dialer.DialContext),
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 64,
		MaxConnsPerHost:     64,
		// Shorter than servers close idle connections (Node.js: 5 s): a request
		// that meets the closing may have been received, and nobody knows.
		IdleConnTimeout:        4 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Close drops idle connections.
func (s *Sender) Close() {
	for _, t := range []*http.Transport{s.public, s.private, s.proxy} {
		t.CloseIdleConnections()
	}
}

// Send checks and sends one request for a service. Failures are
// *providerplugin.CarryError and say whether bytes may have gone out; for an
// address in a private network its Err is a *PrivateError.
func (s *Sender) Send(ctx context.Context, to Target, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	u, err := url.Parse(req.URL)
	if err != nil || u.Host == "" {
		return nil, s.refuse(to, "?", ReasonRequest, errors.New("the plugin asked for an address that cannot be read"))
	}
	host, ok := provider.MatchHost(to.Hosts, to.Service, u)
	if !ok {
		return nil, s.refuse(to, u.Host, ReasonUndeclared,
			fmt.Errorf("the plugin asked for %s://%s, which is not among the hosts that it declares for this service", u.Scheme, u.Host))
	}
	if !host.ClientSecret && carriesSecret(req, to.Service.ClientSecret) {
		return nil, s.refuse(to, u.Host, ReasonSecret,
			fmt.Errorf("the plugin wanted to send client_secret to %s, which is not declared to see it", u.Host))
	}
	over, err := s.over(to, u)
	if err != nil {
		return nil, s.refuse(to, u.Host, ReasonPrivate, err)
	}
	ctx, span := trail.StartClient(ctx, "HTTP "+methodOf(req), attribute.String("http.request.method", methodOf(req)),
		attribute.String("server.address", u.Hostname()), attribute.String("url.scheme", u.Scheme))
	resp, err := s.roundTrip(context.WithValue(ctx, hostKey{}, u.Host), over, u, req)
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

// refuse makes the error of a request that is not sent, and tells of it.
func (s *Sender) refuse(to Target, host, reason string, why error) *providerplugin.CarryError {
	s.counted(reason)
	s.refusals.tell(time.Now(), Refusal{Service: to.Service.Name, Provider: to.Provider, Host: host, Reason: reason, Detail: why.Error()})
	return &providerplugin.CarryError{Refused: true, Message: why.Error(), Err: why}
}

func (s *Sender) roundTrip(ctx context.Context, over *http.Transport, u *url.URL, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})
	// A body that is neither nil nor rewindable is how net/http is told that a
	// request, a GET too, must not be sent a second time.
	out, err := http.NewRequestWithContext(ctx, req.Method, u.String(), io.NopCloser(bytes.NewReader(req.Body)))
	if err != nil {
		return nil, &providerplugin.CarryError{Refused: true, Message: "the plugin asked for a request that cannot be sent"}
	}
	out.ContentLength = int64(len(req.Body))
	for name, values := range req.Header {
		if !hopByHop(name) {
			out.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if ua := out.Header.Get("User-Agent"); ua == "" || strings.HasPrefix(ua, "Go-http-client") {
		out.Header.Set("User-Agent", s.userAgent)
	}
	reply, err := over.RoundTrip(out)
	if err != nil {
		return nil, failed(u, written.Load(), err)
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(reply.Body, providerplugin.MaxBody+1))
	if err != nil {
		return nil, failed(u, true, err)
	}
	if len(body) > providerplugin.MaxBody {
		return nil, &providerplugin.CarryError{Written: true, Message: fmt.Sprintf("%s answered with more than %d KiB", u.Host, providerplugin.MaxBody>>10)}
	}
	crashpoint.At(crashpoint.ReplyReceived)
	reply.Header.Del("Set-Cookie")
	return &providerplugin.HTTPResponse{Status: reply.StatusCode, Header: reply.Header, Body: body}, nil
}

func hopByHop(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Host", "Content-Length", "Cookie":
		return true
	}
	return false
}

// failed says what went wrong without the address's query, which may hold a
// code or a secret (net/http's own errors quote it).
func failed(u *url.URL, written bool, err error) *providerplugin.CarryError {
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
	return &providerplugin.CarryError{Written: written, Message: fmt.Sprintf("no reply from %s: %s", u.Host, why), Err: err}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
