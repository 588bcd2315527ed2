package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands between hubs and PostgreSQL and breaks what passes.
type proxy struct {
	listener *net.TCPListener
	target   atomic.Pointer[string]
	port     int

	mu    sync.Mutex
	conns map[*net.TCPConn]bool
	// delay is added to each packet to the server; in nanoseconds.
	delay atomic.Int64
	// refusing closes new connections at once.
	refusing atomic.Bool
	broken   atomic.Int64
}

// startProxy listens on a free port of loopback.
func startProxy(target string) (*proxy, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("start the proxy: %w", err)
	}
	addr, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.New("loopback has no TCP")
	}
	p := &proxy{listener: listener, port: addr.Port, conns: map[*net.TCPConn]bool{}}
	p.target.Store(&target)
	go p.accept()
	return p, nil
}

func (p *proxy) accept() {
	for {
		conn, err := p.listener.AcceptTCP()
		if err != nil {
			return
		}
		if p.refusing.Load() {
			_ = conn.SetLinger(0)
			_ = conn.Close()
			continue
		}
		go p.carry(conn)
	}
}

func (p *proxy) carry(client *net.TCPConn) {
	dialled, err := net.Dial("tcp", *p.target.Load())
	server, ok := dialled.(*net.TCPConn)
	if err != nil || !ok {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client] = true
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.CloseWrite()
		close(done)
	}()
	p.copySlowly(server, client)
	_ = server.CloseWrite()
	<-done
	p.mu.Lock()
	delete(p.conns, client)
	p.mu.Unlock()
	_, _ = client.Close(), server.Close()
}

// copySlowly copies, and holds each packet for the delay.
func (p *proxy) copySlowly(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if d := p.delay.Load(); n > 0 && d > 0 {
			<-time.After(time.Duration(d))
		}
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

// breakSome ends about a share of the connections: by a reset, so that what was
// sent may be lost with its answer, or by an orderly end.
func (p *proxy) breakSome(share float64, reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		if rand.Float64() >= share { //nolint:gosec // which one is no secret
			continue
		}
		if reset {
			_ = conn.SetLinger(0)
		}
		_ = conn.Close()
		p.broken.Add(1)
	}
}

// leadTo has new connections go elsewhere, and ends those that there are.
func (p *proxy) leadTo(target string) {
	p.target.Store(&target)
	p.breakSome(1, true)
}

// close ends the proxy and all that passes.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.breakSome(1, true)
}
