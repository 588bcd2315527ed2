package simulation

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// network carries connections in memory between replicas and the authority.
type network struct {
	mu     sync.Mutex
	conns  map[*link]string // by the replica that dialled
	accept chan net.Conn
	done   chan struct{}
	// down refuses new connections.
	down atomic.Bool
}

// link is the replica's side of a connection.
type link struct {
	net.Conn
	network *network
}

// from is the authority's side; its remote address is the replica's name.
type from struct {
	net.Conn
	replica string
}

type replicaAddr string

// Network implements net.Addr.
func (replicaAddr) Network() string { return "memory" }

// String implements net.Addr.
func (a replicaAddr) String() string { return string(a) }

// RemoteAddr implements net.Conn.
func (f from) RemoteAddr() net.Addr { return replicaAddr(f.replica) }

func newNetwork() *network {
	return &network{conns: map[*link]string{}, accept: make(chan net.Conn), done: make(chan struct{})}
}

// dialer makes the connections of a replica.
func (n *network) dialer(replica string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if n.down.Load() {
			return nil, errors.New("the network is down")
		}
		here, there := net.Pipe()
		select {
		case n.accept <- from{there, replica}:
		case <-n.done:
			return nil, errors.New("the network is down")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		l := &link{Conn: here, network: n}
		n.mu.Lock()
		n.conns[l] = replica
		n.mu.Unlock()
		return l, nil
	}
}

// Close implements net.Conn.
func (l *link) Close() error {
	l.network.mu.Lock()
	delete(l.network.conns, l)
	l.network.mu.Unlock()
	return l.Conn.Close()
}

// cut breaks all connections of a replica, as its death does.
func (n *network) cut(replica string) {
	n.mu.Lock()
	var broken []*link
	for l, of := range n.conns {
		if of == replica {
			broken = append(broken, l)
		}
	}
	n.mu.Unlock()
	for _, l := range broken {
		_ = l.Close()
	}
}

// Accept implements net.Listener for the authority.
func (n *network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.accept:
		return conn, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (n *network) Close() error {
	close(n.done)
	return nil
}

// Addr implements net.Listener.
func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }
