//go:build !crashpoints && !simulation

package crashpoint

import (
	"context"
	"net"
)

// At marks that a step is reached. It does nothing.
func At(string) {}

// Dial returns dial.
func Dial(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return dial
}
