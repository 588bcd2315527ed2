package providertest

import (
	"context"
	"encoding/base64"
	"net/http"
	"sync"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

var _ providerplugin.Relay = (*script)(nil)

// script is a relay that sends nothing: it keeps each request and answers it
// itself.
type script struct {
	answer func(ctx context.Context, step int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error)

	mu       sync.Mutex
	requests []*providerplugin.HTTPRequest
	replies  []*providerplugin.HTTPResponse // by step; nil for a signature
	signed   []*providerplugin.SignRequest
}

// RoundTrip implements providerplugin.Relay.
func (c *script) RoundTrip(ctx context.Context, step int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	c.mu.Lock()
	c.requests = append(c.requests, req)
	c.mu.Unlock()
	response, err := c.answer(ctx, step, req)
	c.mu.Lock()
	c.replies = append(c.replies, response)
	c.mu.Unlock()
	return response, err
}

// Sign implements providerplugin.Relay. The signature is made up and marks the request that
// carries it.
func (c *script) Sign(_ context.Context, _ int, req *providerplugin.SignRequest) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signed = append(c.signed, req)
	c.replies = append(c.replies, nil)
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"ES256"}`)) + "." + encode(req.Claims) + "." + signature, nil
}

// seen are the requests so far.
func (c *script) seen() []*providerplugin.HTTPRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// carrying counts the requests that hold one of the values.
func (c *script) carrying(values []string) int {
	n := 0
	for _, req := range c.seen() {
		if carries(req, values) {
			n++
		}
	}
	return n
}

// healthy answers everything that is no token request.
func (s *suite) healthy() *script {
	return &script{answer: func(_ context.Context, _ int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		return s.well(req), nil
	}}
}

// good answers the requests of an operation as a service in good health does.
func (s *suite) good(op operation) *script {
	if !op.token {
		return s.healthy()
	}
	return s.faulty(op, fault{"a good reply", func(*providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		return s.tokenReply(newAccess, newRefresh), nil
	}})
}

// faulty answers requests that carry one of op.once with a fault, and all others
// well.
func (s *suite) faulty(op operation, f fault) *script {
	return &script{answer: func(_ context.Context, _ int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		if carries(req, op.once) {
			return f.strike(req)
		}
		return s.well(req), nil
	}}
}

// well is the reply to a request for something else than a token.
func (s *suite) well(req *providerplugin.HTTPRequest) *providerplugin.HTTPResponse {
	if s.config.Answer != nil {
		if response := s.config.Answer(req); response != nil {
			return response
		}
	}
	return reply(http.StatusOK, `{"sub":"1","id":"1","user_id":"1","email":"anna@example.test","name":"Anna"}`)
}

func reply(status int, body string) *providerplugin.HTTPResponse {
	return &providerplugin.HTTPResponse{
		Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body),
	}
}
