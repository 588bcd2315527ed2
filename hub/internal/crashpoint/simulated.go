//go:build simulation

package crashpoint

import (
	"context"
	"net"
)

// Hook is called at each step in a program built with the tag simulation; nil does
// nothing. It is set before anything runs.
var Hook func(step string)

// At calls the Hook.
func At(step string) {
	if Hook != nil {
		Hook(step)
	}
}

// Dial returns dial.
func Dial(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return dial
}
