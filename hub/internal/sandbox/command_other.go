//go:build !linux

package sandbox

import (
	"errors"
	"os"
	"os/exec"
)

// Started is a program that is being started.
type Started struct{}

// Command has no meaning where there is no sandbox; see Available.
func Command(*os.File, Program, bool, error) (*exec.Cmd, *Started, error) {
	return nil, nil, errors.New("this system has no sandbox")
}

// NoSpaces reports whether the system makes no name spaces.
func NoSpaces(error) bool { return false }

// Outcome returns nothing.
func (*Started) Outcome(bool) ([]Layer, error) { return nil, nil }

// Folder returns none.
func (*Started) Folder() *os.File { return nil }

// Available reports whether programs can be run in a sandbox at all, and why not.
func Available() (bool, string) { return false, "only Linux has what the sandbox is made of" }
