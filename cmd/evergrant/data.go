package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/evergrant/evergrant/hub"
)

// dataCmd is for copies and restores of a database.
type dataCmd struct {
	Detach dataDetachCmd `cmd:"" help:"Make a copied database harmless, before a hub runs on it: no renewals, no messages, nothing given back."`
	Attach dataAttachCmd `cmd:"" help:"End that: hubs on the database renew and send again. Never on a copy whose original lives."`
}

type dataDetachCmd struct {
	configFlags `embed:""`
}

// Run marks the database.
func (c dataDetachCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	if err := hub.Detach(ctx, cfg, whoami()); err != nil {
		return err
	}
	fmt.Printf("%s is a detached copy now. Hubs on it serve what is valid, and renew and send nothing;\nthose that run notice it within seconds. End it with: evergrant data attach\n", databaseOf(cfg))
	return nil
}

type dataAttachCmd struct {
	configFlags `embed:""`

	Confirm string `help:"The sentence that is asked for otherwise." placeholder:"TEXT"`
}

// confirmation is what has to be typed: two hubs that renew the same grants end them.
const confirmation = "the original is gone"

// Run removes the mark, after somebody has said that no other hub has these grants.
func (c dataAttachCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	said := c.Confirm
	if said == "" {
		fmt.Fprintf(os.Stderr, "Hubs on %s will renew its grants and send its messages.\nIf another hub does so too, services end the grants that they replace at each renewal.\nType %q to go on: ", databaseOf(cfg), confirmation)
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil && line == "" {
			return errors.New("nothing was typed; nothing was changed")
		}
		said = strings.TrimSpace(line)
	}
	if said != confirmation {
		return fmt.Errorf("that was not %q; nothing was changed", confirmation)
	}
	if err := hub.Attach(ctx, cfg); errors.Is(err, hub.ErrNotDetached) {
		return fmt.Errorf("%s is no detached copy", databaseOf(cfg))
	} else if err != nil {
		return err
	}
	fmt.Printf("%s is attached. Restart the hubs on it, so that they take up what their journals hold.\n", databaseOf(cfg))
	return nil
}

func databaseOf(cfg hub.Config) string {
	if cfg.Database.URL == "" {
		return "The database in " + cfg.DataDir
	}
	return "The database " + cfg.Database.String()
}

func whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
