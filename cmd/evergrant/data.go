package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub"
)

// dataCmd is for copies and restores of a database.
type dataCmd struct {
	Adopt    dataAdoptCmd    `cmd:"" help:"Take a data folder that looks copied for the only one: grants that rotate are renewed again. Only if no other hub uses the original."`
	Detach   dataDetachCmd   `cmd:"" help:"Make a copied database harmless, before a hub runs on it: no renewals, no messages, nothing given back."`
	Withdraw dataWithdrawCmd `cmd:"" help:"See what was withdrawn after a backup and is back after its restore: revoked keys, removed people, grants given back. Withdraw it again with --yes."`
	Behind   dataBehindCmd   `cmd:"" help:"See which grants may be behind a restored backup and wait for a decision; decide with --try-once or --send-links."`
	Attach   dataAttachCmd   `cmd:"" help:"End that: hubs on the database renew and send again. Never on a copy whose original lives."`
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

// Run removes the mark, after confirmation that no other hub has these grants.
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

type dataWithdrawCmd struct {
	URL  string `help:"Address of a hub." env:"EVERGRANT_URL" default:"http://localhost:8080"`
	List bool   `help:"Only show it (the default)."`
	Yes  bool   `help:"Withdraw all of it again."`
}

// withdrawalView is what this command reads of a withdrawal.
type withdrawalView struct {
	Act     string    `json:"act"`
	Object  string    `json:"object"`
	Title   string    `json:"title"`
	At      time.Time `json:"at"`
	Problem string    `json:"problem"`
}

// Run calls a running hub. The API key comes from the environment alone: arguments can be
// seen by every user of the machine.
func (c dataWithdrawCmd) Run(ctx context.Context) error {
	key := os.Getenv("EVERGRANT_API_KEY")
	if key == "" {
		return errors.New("set EVERGRANT_API_KEY to an API key of the hub with the scope admin")
	}
	client := &hubClient{base: c.URL, key: key}
	var answer struct{ Items []withdrawalView }
	var err error
	if c.Yes && !c.List {
		err = client.post(ctx, "/api/v1/data/withdraw", nil, &answer)
	} else {
		err = client.get(ctx, "/api/v1/data/withdrawn", &answer)
	}
	if err != nil {
		return err
	}
	failed := 0
	for _, w := range answer.Items {
		fmt.Printf("%-18s %-40s %s  %s\n", w.Act, w.Object, w.At.UTC().Format(time.RFC3339), w.Title)
		if w.Problem != "" {
			failed++
			fmt.Println("    not withdrawn: " + w.Problem)
		}
	}
	switch {
	case len(answer.Items) == 0:
		fmt.Println("Nothing that the hubs know to have been withdrawn is back.")
	case failed > 0:
		return fmt.Errorf("%d of %d could not be withdrawn", failed, len(answer.Items))
	case !c.Yes || c.List:
		fmt.Printf("\n%d are back. Withdraw them again with: evergrant data withdraw --yes\n", len(answer.Items))
	default:
		fmt.Printf("\n%d are withdrawn again.\n", len(answer.Items))
	}
	return nil
}

type dataBehindCmd struct {
	URL       string   `help:"Address of the hub." env:"EVERGRANT_URL" default:"http://localhost:8080"`
	TryOnce   bool     `help:"Send the stored refresh tokens once. If one was used since the backup, its service may end the grant." xor:"decision"`
	SendLinks bool     `help:"Give the grants up without trying: their contacts get links to authorize them again." xor:"decision"`
	All       bool     `help:"Decide about all of them."`
	Names     []string `arg:"" optional:"" name:"connection" help:"Connections to decide about."`
}

// behindView is what this command reads of a grant that may be behind the backup.
type behindView struct {
	Connection string     `json:"connection"`
	Title      string     `json:"title"`
	Reason     string     `json:"reason"`
	ValidUntil *time.Time `json:"valid_until"`
}

// Run lists what is behind the backup, or decides about it.
func (c dataBehindCmd) Run(ctx context.Context) error {
	key := os.Getenv("EVERGRANT_API_KEY")
	if key == "" {
		return errors.New("set EVERGRANT_API_KEY to an API key of the hub with the scope admin")
	}
	client := &hubClient{base: c.URL, key: key}
	if !c.TryOnce && !c.SendLinks {
		return c.list(ctx, client)
	}
	if c.All == (len(c.Names) > 0) {
		return errors.New("name connections, or say --all")
	}
	path := "/api/v1/data/behind/links"
	if c.TryOnce {
		path = "/api/v1/data/behind/try"
	}
	var begun struct {
		Run         string `json:"run"`
		Connections int    `json:"connections"`
	}
	if err := client.post(ctx, path, map[string]any{"connections": c.Names, "all": c.All}, &begun); err != nil {
		return err
	}
	if begun.Connections == 0 {
		fmt.Println("None of them waits for a decision.")
		return nil
	}
	fmt.Printf("Begun for %d. What came of each: %s/bulk/%s\n", begun.Connections, strings.TrimSuffix(c.URL, "/"), begun.Run)
	return nil
}

func (c dataBehindCmd) list(ctx context.Context, client *hubClient) error {
	var answer struct{ Items []behindView }
	if err := client.get(ctx, "/api/v1/data/behind", &answer); err != nil {
		return err
	}
	for _, b := range answer.Items {
		until := "–"
		if b.ValidUntil != nil {
			until = b.ValidUntil.UTC().Format(time.RFC3339)
		}
		fmt.Printf("%-40s %-10s token until %-20s  %s\n", b.Connection, b.Reason, until, b.Title)
	}
	if len(answer.Items) == 0 {
		fmt.Println("No grant waits for a decision after a restore.")
		return nil
	}
	fmt.Printf("\n%d may be behind the backup and are not renewed. Decide with --try-once or --send-links, and names or --all.\n", len(answer.Items))
	return nil
}
