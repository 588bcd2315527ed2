package providerplugin

import (
	"context"
	"net/http"
)

// Relay sends the requests of one operation. The hub implements it.
type Relay interface {
	// RoundTrip sends the request of a step, which counts from 0, and returns the reply.
	// Calls of one operation are sequential. A *RelayError is reported to the plugin as a
	// failed request; any other error ends the operation and is returned to its caller
	// unchanged.
	RoundTrip(ctx context.Context, step int, req *HTTPRequest) (*HTTPResponse, error)
}

// HTTPRequest is a request of a plugin that the hub is to send.
type HTTPRequest struct {
	Method string
	// URL is absolute. It may hold secrets: never log it with its query.
	URL    string
	Header http.Header
	Body   []byte
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
