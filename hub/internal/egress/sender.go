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
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Sender sends requests of plugins. It is safe for concurrent use.
type Sender struct {
	transport *http.Transport
	userAgent string
}

// New returns a Sender. version is told to services in User-Agent, which some
// of them require.
func New(version string) *Sender {
	return &Sender{
		userAgent: "Evergrant/" + version,
		transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         crashpoint.Dial((&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext),
			TLSHandshakeTimeout: 10 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 64,
			MaxConnsPerHost:     64,
			// Shorter than servers close idle connections (Node.js: 5 s): a request
			// that meets the closing may have been received, and nobody knows.
			IdleConnTimeout:        4 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// Close drops idle connections.
func (s *Sender) Close() { s.transport.CloseIdleConnections() }

// Send checks and sends one request for a service. Failures are
// *providerplugin.CarryError and say whether bytes may have gone out.
func (s *Sender) Send(ctx context.Context, hosts []provider.Host, svc provider.Service, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	u, err := url.Parse(req.URL)
	if err != nil || u.Host == "" {
		return nil, refused("the plugin asked for an address that cannot be read")
	}
	host, ok := provider.MatchHost(hosts, svc, u)
	if !ok {
		return nil, refused("the plugin asked for %s://%s, which is not among the hosts that it declares for this service", u.Scheme, u.Host)
	}
	if !host.ClientSecret && carriesSecret(req, svc.ClientSecret) {
		return nil, refused("the plugin wanted to send client_secret to %s, which is not declared to see it", u.Host)
	}
	return s.roundTrip(ctx, u, req)
}

func (s *Sender) roundTrip(ctx context.Context, u *url.URL, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})
	// A body that is neither nil nor rewindable is how net/http is told that a
	// request, a GET too, must not be sent a second time.
	out, err := http.NewRequestWithContext(ctx, req.Method, u.String(), io.NopCloser(bytes.NewReader(req.Body)))
	if err != nil {
		return nil, refused("the plugin asked for a request that cannot be sent")
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
	reply, err := s.transport.RoundTrip(out)
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

func refused(format string, args ...any) *providerplugin.CarryError {
	return &providerplugin.CarryError{Refused: true, Message: fmt.Sprintf(format, args...)}
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
