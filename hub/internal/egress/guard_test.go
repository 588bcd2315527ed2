package egress

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

var errTaken = errors.New("another replica has taken over")

// What is refused at the last moment has not left: no byte of it reaches the service,
// although a connection was made.
func TestARefusedRequestIsNotWritten(t *testing.T) {
	for name, req := range map[string]providerplugin.HTTPRequest{
		"POST":               {Method: http.MethodPost, Body: []byte("refresh_token=r")},
		"POST without body":  {Method: http.MethodPost},
		"GET with the token": {Method: http.MethodGet},
		"DELETE":             {Method: http.MethodDelete},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = listener.Close() }()
			got := make(chan []byte, 1)
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				data, _ := io.ReadAll(conn) // until the sender closes
				got <- data
			}()
			address := "http://" + listener.Addr().String()
			req.URL = address + "/token?refresh_token=r"
			s := New(Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
			written := false
			_, err = s.Send(t.Context(), Target{Hosts: []provider.Host{{Pattern: address}}}, &req, Hooks{
				Before: func() error { return errTaken }, Written: func() { written = true },
			})
			failure, ok := errors.AsType[*providerplugin.RelayError](err)
			if !ok || failure.Written || written || !errors.Is(err, errTaken) {
				t.Errorf("%v, written %t, want the refusal and nothing written", err, written)
			}
			s.Close()
			if data := <-got; len(data) > 0 {
				t.Errorf("the service got %q", data)
			}
		})
	}
}

func TestARequestIsToldAsWrittenBeforeItIs(t *testing.T) {
	var reported atomic.Bool
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !reported.Load() {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer server.Close()
	s := New(Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer s.Close()
	s.public.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig //nolint:forcetypeassert // it is one
	for range 3 {                                                                          // also on a connection that is kept
		reported.Store(false)
		resp, err := s.Send(t.Context(), Target{Hosts: []provider.Host{{Pattern: server.URL}}}, &providerplugin.HTTPRequest{Method: http.MethodPost, URL: server.URL, Body: []byte("x")},
			Hooks{Written: func() { reported.Store(true) }})
		if err != nil || resp.Status != http.StatusOK {
			t.Fatalf("%v, %+v", err, resp)
		}
	}
}

// A process that is stopped between the last look and the write looks again.
func TestAnOldAnswerIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		g := &guard{hooks: Hooks{Before: func() error {
			if asked++; asked > 1 {
				return errTaken
			}
			return nil
		}}}
		here, there := net.Pipe()
		defer func() { _ = there.Close() }()
		conn := &guardedConn{Conn: here}
		g.watch(conn)
		waittest.Let(time.Second)
		g.ask()
		if asked != 1 {
			t.Fatalf("asked %d times within a second", asked)
		}
		waittest.Let(9 * time.Second)
		if _, err := conn.Write([]byte("x")); !errors.Is(err, errTaken) {
			t.Errorf("after a pause the request is let go with %v", err)
		}
		if written, refused := g.end(); written || !errors.Is(refused, errTaken) {
			t.Errorf("written %t, refused %v", written, refused)
		}
	})
}

// net/http may write when it has given a request up.
func TestNothingIsLetGoAfterTheEnd(t *testing.T) {
	g := &guard{hooks: Hooks{Written: func() { t.Error("reported as written") }}}
	if written, refused := g.end(); written || refused != nil {
		t.Fatalf("written %t, refused %v", written, refused)
	}
	if err := g.pass(); err == nil {
		t.Error("the request was let go after its end")
	}
}
