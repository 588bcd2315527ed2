package testcall

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// ErrUnknown is a call that the provider does not declare.
var ErrUnknown error = unknownError("the provider declares no such test call")

type unknownError string

// Error implements error.
func (e unknownError) Error() string { return string(e) }

// Refusal marks it as a rule that says no, for the audit record.
func (unknownError) Refusal() bool { return true }

// timeout is how long a service may take to answer.
const timeout = 20 * time.Second

// Options of a Caller.
type Options struct {
	Store  *store.Store
	Source *tokensource.Source
	Sender *egress.Sender
}

// Caller makes test calls. It is safe for concurrent use.
type Caller struct{ o Options }

// New returns a Caller.
func New(o Options) *Caller { return &Caller{o: o} }

// Answer is what a service answered.
type Answer struct {
	// Call is the name of the call.
	Call string
	// Status is the HTTP status; 0 if there was no answer, and Failure says why.
	Status  int
	Failure string
	// Body is the answer, indented if it is JSON, without the connection's secrets. Cut
	// is set if only its beginning is there.
	Body string
	Cut  bool
	// Took is how long the service took to answer.
	Took time.Duration
}

// Calls are the calls that a service's provider declares.
func Calls(svc service.Service) []provider.TestCall {
	if svc.Description == nil {
		return nil
	}
	return svc.Description.TestCalls
}

// Call makes a declared call; an empty name is the first one. That the service refuses, or
// does not answer, is an Answer. Errors: ErrUnknown, *store.DetachedError,
// *tokensource.RefusedError and others of a pull.
func (x *Caller) Call(ctx context.Context, conn connection.Connection, name string) (*Answer, error) {
	if err := x.o.Store.Detached(ctx); err != nil {
		return nil, err
	}
	svc, err := x.o.Store.Services.Service(ctx, conn.ServiceID)
	if err != nil {
		return nil, err
	}
	calls := Calls(svc)
	i := slices.IndexFunc(calls, func(c provider.TestCall) bool { return name == "" || c.Name == name })
	if i < 0 {
		return nil, ErrUnknown
	}
	pulled, err := x.o.Source.Serve(ctx, conn, 0, tokensource.UsualWait)
	if err != nil {
		return nil, err
	}
	return x.send(ctx, svc, pulled.Connection, calls[i]), nil
}

func (x *Caller) send(ctx context.Context, svc service.Service, conn connection.Connection, call provider.TestCall) *Answer {
	answer := &Answer{Call: call.Name}
	req, err := requestOf(svc, conn, call)
	if err != nil {
		answer.Failure = err.Error()
		return answer
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	began := time.Now()
	resp, err := x.o.Sender.Send(ctx, egress.Target{
		Service: svc.ForProvider(), Provider: svc.Provider, Hosts: svc.Description.Hosts, Bound: svc.Hosts, PrivateHosts: svc.PrivateHosts,
	}, req, egress.Hooks{})
	answer.Took = time.Since(began)
	if err != nil {
		answer.Failure = err.Error()
		return answer
	}
	answer.Status = resp.Status
	answer.Body, answer.Cut = shown(resp.Body, secretsOf(svc, conn))
	return answer
}

var placeholderRE = regexp.MustCompile(`\{(option|connection|extra):([A-Za-z0-9_]+)\}`)

// requestOf fills the placeholders in and attaches the token as the provider says.
func requestOf(svc service.Service, conn connection.Connection, call provider.TestCall) (*providerplugin.HTTPRequest, error) {
	missing, tokens := "", conn.Tokens
	address := placeholderRE.ReplaceAllStringFunc(call.URL, func(placeholder string) string {
		part := placeholderRE.FindStringSubmatch(placeholder)
		values := svc.Options
		switch part[1] {
		case "extra":
			values = tokens.Extra
		case "connection":
			values = conn.Options
		}
		value, _ := values[part[2]].(string)
		if value == "" {
			missing = part[2]
		}
		return value
	})
	u, err := url.Parse(address)
	if missing != "" || err != nil {
		return nil, fmt.Errorf("the address of the call cannot be made: %q is not known", missing)
	}
	req := &providerplugin.HTTPRequest{Method: call.Method, Header: http.Header{"Accept": {"application/json"}}}
	if req.Method == "" {
		req.Method = http.MethodGet
	}
	switch api := svc.Description.API; {
	case api.In == "query":
		query := u.Query()
		query.Set(api.Name, tokens.AccessToken)
		u.RawQuery = query.Encode()
	case api.Name != "":
		req.Header.Set(api.Name, api.Prefix+tokens.AccessToken)
	default:
		req.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	}
	req.URL = u.String()
	return req, nil
}
