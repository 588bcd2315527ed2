//go:build crashpoints

package crashpoint

import (
	"context"
	"net"
)

// Dial returns dial, which reaches Dialled, and whose connections reach Writing
// before and RequestWritten after something is written to them: net/http has no
// other word for those moments.
func Dial(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		At(Dialled)
		return writing{conn}, nil
	}
}

type writing struct{ net.Conn }

// NetConn returns what is below, as tls.Conn does.
func (w writing) NetConn() net.Conn { return w.Conn }

// Write implements net.Conn.
func (w writing) Write(b []byte) (int, error) {
	At(Writing)
	n, err := w.Conn.Write(b)
	At(RequestWritten)
	return n, err
}
