package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
)

type pluginInstallCmd struct {
	File      string `arg:"" help:"The package." type:"existingfile"`
	URL       string `help:"Address of the hub." env:"EVERGRANT_URL" default:"http://localhost:8080"`
	Approve   bool   `help:"Approve it too: it may be enabled, and talk to the hosts that it names."`
	Enable    bool   `help:"Approve and enable it: it runs, in the place of an older version."`
	Confirm   string `help:"SHA-256 of a package that no trusted key has signed; the hub names it." placeholder:"SHA256"`
	Downgrade bool   `help:"Allow an older version than the one that runs."`
}

// packageView is what this command reads of a package.
type packageView struct {
	Sum     string `json:"sha256"`
	Name    string `json:"name"`
	Version string `json:"version"`
	State   string `json:"state"`
	Problem string `json:"problem"`
}

// Run hands a package in. The key comes from the environment alone: arguments can
// be seen by every user of the machine.
func (c pluginInstallCmd) Run(ctx context.Context) error {
	key := os.Getenv("EVERGRANT_API_KEY")
	if key == "" {
		return errors.New("set EVERGRANT_API_KEY to an API key of the hub with the scope admin")
	}
	client := &hubClient{base: c.URL, key: key}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var p packageView
	if err := client.send(ctx, http.MethodPost, "/api/v1/plugin-packages", "application/octet-stream", file, &p); err != nil {
		return err
	}
	fmt.Printf("%s %s is %s, sha256:%s\n", p.Name, p.Version, p.State, p.Sum)
	if p.Problem != "" {
		fmt.Println("  " + p.Problem)
	}
	path := "/api/v1/plugin-packages/" + p.Sum
	if c.Approve || c.Enable {
		if err := client.post(ctx, path+"/approve", map[string]any{"confirm": c.Confirm}, &p); err != nil {
			return err
		}
		fmt.Println("  approved")
	}
	if c.Enable {
		if err := client.post(ctx, path+"/enable", map[string]any{"downgrade": c.Downgrade}, &p); err != nil {
			return err
		}
		fmt.Println("  enabled: it runs")
	}
	return nil
}
