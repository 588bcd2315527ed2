package egress

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// guard lets one request go or holds it back, at the moment when its first byte would
// be written to the connection.
type guard struct {
	hooks Hooks

	mu      sync.Mutex
	askedAt time.Time
	refused error
	let     bool // the request may have been written
}

// askAgainAfter is how old the answer of Hooks.Before may be: a process that was stopped
// in between calls it again.
const askAgainAfter = 2 * time.Second

// watch has a connection ask the guard before it writes. The request is about to be
// written to it.
func (g *guard) watch(conn net.Conn) {
	gated := gatedOf(conn)
	if gated == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.let = true // not one of ours; what is written to it is not known
		return
	}
	g.ask()
	gated.mu.Lock()
	defer gated.mu.Unlock()
	gated.guard = g
}

// ask calls Hooks.Before, unless it was called just now.
func (g *guard) ask() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.askLocked()
}

func (g *guard) askLocked() {
	if g.let || g.refused != nil || !g.askedAt.IsZero() && elapsed(g.askedAt) < askAgainAfter {
		return
	}
	if g.hooks.Before != nil {
		g.refused = g.hooks.Before()
	}
	g.askedAt = time.Now()
}

// pass is called before each write; an error keeps it from being made.
func (g *guard) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.let {
		return nil
	}
	if g.askLocked(); g.refused != nil {
		return g.refused
	}
	g.let = true
	if g.hooks.Written != nil {
		g.hooks.Written()
	}
	return nil
}

// end returns whether bytes of the request may have left, or why it was refused. net/http
// may still write after RoundTrip has failed: such writes are refused.
func (g *guard) end() (written bool, refused error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	written, refused = g.let, g.refused
	if !written && refused == nil {
		g.refused = errEnded
	}
	return written, refused
}

var errEnded = errors.New("the request was given up before it was written")

// elapsed is the time since t by the clock that shows more: the monotonic clock stops
// while the machine is suspended, and the wall clock may be set.
func elapsed(t time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

// guardedConn calls the guard of its present request before it writes.
type guardedConn struct {
	net.Conn

	mu    sync.Mutex
	guard *guard // of the latest request; nil during the handshake
}

// Write implements net.Conn.
func (c *guardedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	g := c.guard
	c.mu.Unlock()
	if g != nil {
		if err := g.pass(); err != nil {
			_ = c.Close() // nothing else shall be written to it either
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// guarded wraps a dialer so that its connections call the guard.
func guarded(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &guardedConn{Conn: conn}, nil
	}
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// gatedOf finds the guardedConn under layers of TLS.
func gatedOf(conn net.Conn) *guardedConn {
	for {
		switch c := conn.(type) {
		case *guardedConn:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}
