package egress_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

const secret = "s3cr=t/+value"

func send(t *testing.T, hosts []provider.Host, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	t.Helper()
	s := sender()
	t.Cleanup(s.Close)
	return s.Send(t.Context(), egress.Target{Hosts: hosts, Service: provider.Service{ClientSecret: secret}}, req, egress.Hooks{})
}

// sender trusts this machine, where the tests' services are.
func sender() *egress.Sender {
	return egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func relayError(t *testing.T, err error) *providerplugin.RelayError {
	t.Helper()
	failure, ok := errors.AsType[*providerplugin.RelayError](err)
	if !ok {
		t.Fatalf("got %v, want a RelayError", err)
	}
	return failure
}

func TestOnlyDeclaredHostsAreReached(t *testing.T) {
	var calls atomic.Int32
	server := serve(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	for name, pattern := range map[string]string{
		"another host": "https://example.com", "another port": "http://127.0.0.1:1", "https where http was asked": strings.TrimPrefix(server.URL, "http://"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := send(t, []provider.Host{{Pattern: pattern}}, &providerplugin.HTTPRequest{Method: "GET", URL: server.URL})
			if failure := relayError(t, err); !failure.Refused || failure.Written {
				t.Errorf("refused %t, written %t", failure.Refused, failure.Written)
			}
		})
	}
	if calls.Load() != 0 {
		t.Fatal("a request went out")
	}
	if _, err := send(t, []provider.Host{{Pattern: server.URL}}, &providerplugin.HTTPRequest{Method: "GET", URL: server.URL}); err != nil {
		t.Fatalf("the declared host was refused: %v", err)
	}
}

func TestTheClientSecretGoesOnlyWhereItIsDeclaredTo(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	encoded := "s3cr%3Dt%2F%2Bvalue"
	for name, req := range map[string]*providerplugin.HTTPRequest{
		"in the query":  {Method: "GET", URL: server.URL + "/?client_secret=" + encoded},
		"in the form":   {Method: "POST", URL: server.URL, Body: []byte("client_secret=" + encoded)},
		"in plain":      {Method: "POST", URL: server.URL, Body: []byte(`{"s":"` + secret + `"}`)},
		"in Basic":      {Method: "POST", URL: server.URL, Header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("id:"+secret))}}},
		"without Basic": {Method: "POST", URL: server.URL, Header: http.Header{"Authorization": {base64.StdEncoding.EncodeToString([]byte("id:" + secret))}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := send(t, []provider.Host{{Pattern: server.URL}}, req)
			if failure := relayError(t, err); !failure.Refused || strings.Contains(failure.Message, "s3cr") {
				t.Errorf("refused %t: %s", failure.Refused, failure.Message)
			}
			if _, err := send(t, []provider.Host{{Pattern: server.URL, ClientSecret: true}}, req); err != nil {
				t.Errorf("the declared host was refused: %v", err)
			}
		})
	}
}

// A server that takes a request on a kept connection and dies without an answer
// makes net/http send idempotent requests again, which would spend a refresh
// token twice.
func TestARequestIsNeverSentTwice(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			var calls atomic.Int32
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) == 1 {
					return // keeps the connection for the next one
				}
				conn, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_ = conn.Close()
				}
			})
			s := sender()
			defer s.Close()
			hosts := []provider.Host{{Pattern: server.URL}}
			req := &providerplugin.HTTPRequest{Method: method, URL: server.URL}
			if _, err := s.Send(t.Context(), egress.Target{Hosts: hosts}, req, egress.Hooks{}); err != nil {
				t.Fatal(err)
			}
			_, err := s.Send(t.Context(), egress.Target{Hosts: hosts}, req, egress.Hooks{})
			if failure := relayError(t, err); !failure.Written {
				t.Error("the request was written, but that is denied")
			}
			if calls.Load() != 2 {
				t.Fatalf("the server saw %d requests, want 2", calls.Load())
			}
		})
	}
}

func TestFailuresSayWhetherBytesWentOut(t *testing.T) {
	closed := serve(t, func(http.ResponseWriter, *http.Request) {})
	closed.Close()
	_, err := send(t, []provider.Host{{Pattern: closed.URL}}, &providerplugin.HTTPRequest{Method: "POST", URL: closed.URL + "/?code=hidden"})
	if failure := relayError(t, err); failure.Written || strings.Contains(failure.Message, "hidden") {
		t.Errorf("nobody listens: written %t, message %q", failure.Written, failure.Message)
	}

	received, release := make(chan struct{}), make(chan struct{})
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(received)
		<-release
	})
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-received
		cancel()
	}()
	s := sender()
	defer s.Close()
	_, err = s.Send(ctx, egress.Target{Hosts: []provider.Host{{Pattern: silent.URL}}}, &providerplugin.HTTPRequest{Method: "POST", URL: silent.URL, Body: []byte("x")}, egress.Hooks{})
	if failure := relayError(t, err); !failure.Written {
		t.Error("the service received the request, but that is denied")
	}
}

func TestRedirectsAreHandedBackNotFollowed(t *testing.T) {
	var followed atomic.Bool
	target := serve(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, http.StatusFound) })
	resp, err := send(t, []provider.Host{{Pattern: server.URL}, {Pattern: target.URL}}, &providerplugin.HTTPRequest{Method: "POST", URL: server.URL})
	if err != nil || resp.Status != http.StatusFound || followed.Load() {
		t.Fatalf("status %v, error %v, followed %t", resp, err, followed.Load())
	}
}

func TestAnEndlessReplyIsCut(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, io.LimitReader(zeros{}, providerplugin.MaxBody+10))
	})
	_, err := send(t, []provider.Host{{Pattern: server.URL}}, &providerplugin.HTTPRequest{Method: "GET", URL: server.URL})
	if failure := relayError(t, err); !failure.Written {
		t.Error("a reply that is too large was not noted as written")
	}
}

func TestAServiceThatNeverListensIsTransient(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := sender()
	defer s.Close()
	address := "http://" + listener.Addr().String()
	_, err = s.Send(ctx, egress.Target{Hosts: []provider.Host{{Pattern: address}}}, &providerplugin.HTTPRequest{Method: "GET", URL: address}, egress.Hooks{})
	if failure := relayError(t, err); !strings.Contains(failure.Message, "did not answer in time") {
		t.Errorf("message %q", failure.Message)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
