package providerplugin

import (
	"context"
	"net/http"
	"time"
)

// Relay sends the requests of one operation. The hub implements it.
type Relay interface {
	// RoundTrip sends the request of a step, which counts from 0, and returns the reply.
	// Calls of one operation are sequential. A *RelayError is reported to the plugin as a
	// failed request; any other error ends the operation and is returned to its caller
	// unchanged.
	RoundTrip(ctx context.Context, step int, req *HTTPRequest) (*HTTPResponse, error)
	// Sign signs claims in a step, which counts on with those of RoundTrip. A *RelayError
	// is reported to the plugin; any other error ends the operation.
	Sign(ctx context.Context, step int, req *SignRequest) (jwt string, err error)
}

// NoKeys is the part of a Relay that keeps no keys.
type NoKeys struct{}

// Sign implements Relay; it refuses.
func (NoKeys) Sign(_ context.Context, _ int, req *SignRequest) (string, error) {
	return "", &RelayError{Refused: true, Message: "there is no key " + req.Key}
}

// SignRequest is a JWT of a plugin that the hub is to sign.
type SignRequest struct {
	// Key is the name of a key of the service.
	Key string
	// Claims is a JSON object.
	Claims []byte
	// Lifetime is that of the JWT; zero is a minute.
	Lifetime time.Duration
	// Type is the header's typ; "" is JWT.
	Type string
}

// HTTPRequest is a request of a plugin that the hub is to send.
type HTTPRequest struct {
	Method string
	// URL is absolute. It may hold secrets: never log it with its query.
	URL    string
	Header http.Header
	Body   []byte
	// ClientCertificate and DPoPKey name keys of the service that the hub is to use; "" for
	// none.
	ClientCertificate, DPoPKey string
	// MaxReply is how many bytes the reply's body may have; zero is MaxBody. A Relay that
	// reads more fails with a *RelayError.
	MaxReply int64
}

// ReplyLimit is how many bytes the reply's body may have.
func (r *HTTPRequest) ReplyLimit() int64 {
	if r.MaxReply > 0 {
		return r.MaxReply
	}
	return MaxBody
}

// HTTPResponse is a service's reply.
type HTTPResponse struct {
	Status int
	Header http.Header
	Body   []byte
}

// RelayError is a request without a reply.
type RelayError struct {
	// Written is set if any byte may have reached the service.
	Written bool
	// Refused is set if the hub refused to send it.
	Refused bool
	// Message describes what was tried. No secrets.
	Message string
	// Err is the cause; it does not cross the process border.
	Err error
}

// Error implements error.
func (e *RelayError) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *RelayError) Unwrap() error { return e.Err }
