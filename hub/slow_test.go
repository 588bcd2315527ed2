package hub

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// piped is a listener of connections in memory, so that their time can be bent.
type piped struct{ connections chan net.Conn }

func (l *piped) Accept() (net.Conn, error) {
	if c, ok := <-l.connections; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l *piped) Close() error   { return nil }
func (l *piped) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }

// A client that sends a letter now and then is let go, whether it is slow with the head of
// its request or with the body.
func TestAClientThatNeverFinishesIsLetGo(t *testing.T) {
	for what, test := range map[string]struct {
		begins string
		within time.Duration
	}{
		"in the head": {"POST /login HTTP/1.1\r\nHost: hub\r\nX-Long: ", 11 * time.Second},
		"in the body": {"POST /login HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\nlogin=", 61 * time.Second},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := &piped{connections: make(chan net.Conn)}
				server := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if err := r.ParseForm(); err != nil {
						w.WriteHeader(http.StatusBadRequest)
					}
				}))
				go func() { _ = server.Serve(listener) }()
				client, theirs := net.Pipe()
				listener.connections <- theirs
				go func() { _, _ = io.Copy(io.Discard, client) }()
				began := time.Now()
				_, err := client.Write([]byte(test.begins))
				for err == nil && time.Since(began) < time.Hour {
					waittest.Let(time.Second)
					_, err = client.Write([]byte("x"))
				}
				if took := time.Since(began); took > test.within || !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("it was let go after %s with %v", took, err)
				}
				_ = client.Close()
				close(listener.connections)
				_ = server.Close()
			})
		})
	}
}
