package channel

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
)

// mailLine is the connection of one e-mail. go-mail leaves a connection open when
// it fails to greet or sign in, and reads lines of any length.
type mailLine struct {
	*call

	mu     sync.Mutex
	conn   net.Conn
	hungUp bool
}

// dial connects, from the start encrypted if the settings say so.
func (l *mailLine) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := l.Senders.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := l.hold(conn); err != nil {
		return nil, err
	}
	bounded := &boundedConn{Conn: conn, left: bodyLimit}
	if l.get("encryption") != directTLS {
		return bounded, nil
	}
	secure := tls.Client(bounded, l.mailTLS())
	return secure, secure.HandshakeContext(ctx)
}

func (l *mailLine) hold(conn net.Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hungUp {
		_ = conn.Close()
		return net.ErrClosed
	}
	l.conn = conn
	return nil
}

// hangUp ends the connection, now or as soon as there is one.
func (l *mailLine) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hungUp = true
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

var errTalkative = errors.New("the mail server says too much")

// boundedConn reads no more than a conversation about one e-mail takes.
type boundedConn struct {
	net.Conn

	left int
}

// Read implements net.Conn.
func (b *boundedConn) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTalkative
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
