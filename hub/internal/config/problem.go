package config

import (
	"fmt"
	"strings"
)

// Error holds every problem of a configuration, so that they are mended in one
// go. It never quotes a secret.
type Error struct {
	Problems []Problem
}

// Problem is one of them.
type Problem struct {
	// Key is the path of the setting; "" if there is none.
	Key string
	// Origin is the file, the variable, or "flag"; "" for a default.
	Origin string
	// Text says what is wrong and what to write instead.
	Text string
}

// Error implements error, with a line for each problem.
func (e *Error) Error() string {
	var text strings.Builder
	if len(e.Problems) == 1 {
		text.WriteString("the configuration has a problem:")
	} else {
		fmt.Fprintf(&text, "the configuration has %d problems:", len(e.Problems))
	}
	for _, p := range e.Problems {
		text.WriteString("\n  " + p.String())
	}
	return text.String()
}

// String is the problem in a line.
func (p Problem) String() string {
	where := p.Key
	switch {
	case p.Key == "":
		where = p.Origin
	case p.Origin != "":
		where += " (" + p.Origin + ")"
	}
	return where + ": " + p.Text
}
