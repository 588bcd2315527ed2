package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Relay sends requests over the real network, as the hub does but without its
// journal, for tests of a provider against an emulator.
type Relay struct {
	// Client sends; nil is one that follows no redirects.
	Client *http.Client
	// Route changes where a request goes, for example from a service's own host to
	// the emulator; may be nil.
	Route func(*url.URL)
	// Signer signs with keys that the hub would keep; nil keeps none.
	Signer func(ctx context.Context, req *providerplugin.SignRequest) (jwt string, err error)

	mu       sync.Mutex
	requests []*providerplugin.HTTPRequest
}

// Requests returns what was sent so far.
func (c *Relay) Requests() []*providerplugin.HTTPRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// RoundTrip implements providerplugin.Relay.
func (c *Relay) RoundTrip(ctx context.Context, _ int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	c.mu.Lock()
	c.requests = append(c.requests, req)
	c.mu.Unlock()
	u, err := url.Parse(req.URL)
	if err != nil {
		return nil, &providerplugin.RelayError{Refused: true, Message: "the address cannot be read", Err: err}
	}
	if c.Route != nil {
		c.Route(u)
	}
	httpReq, err := http.NewRequestWithContext(ctx, req.Method, u.String(), bytes.NewReader(req.Body))
	if err != nil {
		return nil, &providerplugin.RelayError{Refused: true, Message: "the request cannot be built", Err: err}
	}
	httpReq.Header = req.Header
	response, err := c.client().Do(httpReq)
	if err != nil {
		return nil, lost(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, req.ReplyLimit()+1))
	if err != nil {
		return nil, lost(err)
	}
	if int64(len(body)) > req.ReplyLimit() {
		return nil, &providerplugin.RelayError{Written: true, Message: fmt.Sprintf("the service answered with more than %d KiB", req.ReplyLimit()>>10)}
	}
	return &providerplugin.HTTPResponse{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// Sign implements providerplugin.Relay.
func (c *Relay) Sign(ctx context.Context, step int, req *providerplugin.SignRequest) (string, error) {
	if c.Signer == nil {
		return providerplugin.NoKeys{}.Sign(ctx, step, req)
	}
	return c.Signer(ctx, req)
}

func (c *Relay) client() *http.Client {
	if c.Client != nil {
		return c.Client
	}
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// lost is a request without a whole reply. The text of a url.Error quotes the
// address, so it is left out.
func lost(err error) *providerplugin.RelayError {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return &providerplugin.RelayError{Written: true, Message: "no whole reply: " + err.Error(), Err: err}
}
