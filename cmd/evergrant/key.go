package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/evergrant/evergrant/hub"
)

type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Create a key file for a hub with a database of your own; give every replica a copy."`
	List   keyListCmd   `cmd:"" help:"Show the keys of the key file, and what each has sealed."`
	Rotate keyRotateCmd `cmd:"" help:"Add a key that seals from the next start on; the keys before still open. Stop all hubs before, and give each the new file."`
	Retire keyRetireCmd `cmd:"" help:"Remove the keys that nothing needs any more."`
}

type keyCreateCmd struct {
	File string `arg:"" help:"Where to write the key; the file must not exist." type:"path"`
}

// Run writes a key file.
func (k keyCreateCmd) Run() error {
	if err := hub.CreateKey(k.File); err != nil {
		return err
	}
	fmt.Printf("Created %s (mode 0600). Keep a copy in a safe place: without it every grant is lost.\n", k.File)
	return nil
}

type keyListCmd struct {
	configFlags `embed:""`

	JSON bool `help:"As JSON."`
}

// Run prints a table.
func (c keyListCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	uses, err := hub.KeyUses(ctx, cfg)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(uses)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "KEY\tSEALS\tDATABASE\tNEWEST TOKEN SETS\tJOURNAL")
	for _, u := range uses {
		seals := "no"
		if u.Seals {
			seals = "yes"
		}
		_, _ = fmt.Fprintf(w, "%d\t%s\t%d\t%d\t%d\n", u.ID, seals, u.Database, u.Newest, u.Journal)
	}
	return w.Flush()
}

type keyRotateCmd struct {
	configFlags `embed:""`
}

// Run changes the key file and prints the next steps.
func (c keyRotateCmd) Run() error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	id, err := hub.RotateKey(cfg)
	if err != nil {
		return err
	}
	fmt.Printf("%s has the new key %d, which seals from the next start of a hub on. Keep a copy of the file.\n"+
		"Give every replica this file before one of them starts. A started hub seals anew what the keys before have sealed;\n"+
		"`evergrant key list` shows what is left, and `evergrant key retire` removes them then.\n", cfg.Key.File, id)
	return nil
}

type keyRetireCmd struct {
	configFlags `embed:""`

	Yes bool `help:"The data folders of the other replicas were looked at with key list, and the key file of before is kept for the backups of before."`
}

// Run removes keys.
func (c keyRetireCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	if !c.Yes {
		return errors.New("run `evergrant key list` on every replica first, for each has a data folder of its own, and keep a copy of the key file: backups of before need it. Then say --yes; nothing was changed")
	}
	removed, err := hub.RetireKeys(ctx, cfg)
	if err != nil {
		return err
	}
	if len(removed) == 0 {
		fmt.Println("There is one key, the one that seals.")
		return nil
	}
	fmt.Printf("Removed %d keys from %s: %v. Give every replica this file.\n", len(removed), cfg.Key.File, removed)
	return nil
}
