package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// exitUnasked is the exit code of a command that needs confirmation, where there is no
// terminal for it.
const exitUnasked = 3

// asker asks for confirmation on a terminal.
type asker struct {
	yes      bool
	terminal bool
	in       *bufio.Reader
}

// newAsker asks on the terminal; with yes it assumes confirmation.
func newAsker(yes bool) *asker {
	return &asker{yes: yes, terminal: isTerminal(os.Stdin), in: bufio.NewReader(os.Stdin)}
}

var errDeclined = errors.New("nothing was changed")

// ask returns nil if the answer is yes.
func (a *asker) ask(question string) error {
	if a.yes {
		return nil
	}
	return a.answer(question, "give --yes if you agree to what is said above")
}

// allow asks for a host by name, also with yes: a script has to name the hosts that it
// allows.
func (a *asker) allow(plugin, host, running string, allowed []string) error {
	if slices.Contains(allowed, host) {
		return nil
	}
	otherwise := "give --allow-host " + host + " to allow it"
	if a.yes {
		return &exitError{code: exitUnasked, err: fmt.Errorf("%s wants to talk to %s, which %s does not: %s; nothing was changed", plugin, host, running, otherwise)}
	}
	return a.answer(fmt.Sprintf("Allow %s to talk to %s, which %s does not?", plugin, host, running), otherwise)
}

func (a *asker) answer(question, otherwise string) error {
	if !a.terminal {
		return &exitError{code: exitUnasked, err: fmt.Errorf("nobody can be asked here (%s): run this on a terminal, or %s; nothing was changed", question, otherwise)}
	}
	fmt.Fprint(os.Stderr, question+" [y/N] ")
	line, err := a.in.ReadString('\n')
	if err != nil && line == "" {
		return fmt.Errorf("no answer was given: %w", errDeclined)
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return errDeclined
	}
	return nil
}
