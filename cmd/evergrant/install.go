package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/evergrant/evergrant/hub/authorkit"
)

type pluginInstallCmd struct {
	File      string   `arg:"" help:"The package." type:"existingfile"`
	URL       string   `help:"Address of the hub." env:"EVERGRANT_URL" default:"http://localhost:8080"`
	Approve   bool     `help:"Approve it too: it may be enabled, and talk to the hosts that it names."`
	Enable    bool     `help:"Approve and enable it: it runs, in the place of an older version."`
	Yes       bool     `help:"Ask nothing, for scripts. Hosts that the version which runs does not have are allowed by --allow-host alone."`
	AllowHost []string `help:"Allow a host that the version which runs does not talk to; once for each." placeholder:"HOST"`
	Confirm   string   `help:"SHA-256 of a package that no trusted key has signed; the hub names it." placeholder:"SHA256"`
	Downgrade bool     `help:"Allow an older version than the one that runs."`
	Losses    bool     `name:"accept-losses" help:"Allow a version without something that services use; the refusal names each loss."`
}

// packageView is what this command reads of a package.
type packageView struct {
	Sum     string   `json:"sha256"`
	Name    string   `json:"name"`
	Version string   `json:"version"`
	State   string   `json:"state"`
	Problem string   `json:"problem"`
	Hosts   []string `json:"hosts"`
}

// pluginView is what this command reads of a plugin.
type pluginView struct {
	Name      string        `json:"name"`
	Version   string        `json:"version"`
	Package   string        `json:"package"`
	Hosts     []string      `json:"hosts"`
	LastWords []string      `json:"last_words"`
	Packages  []packageView `json:"packages"`
}

// Run shows what a package is and changes, asks for confirmation, and uploads it. The API
// key comes from the environment alone: arguments can be seen by every user of the
// machine.
func (c pluginInstallCmd) Run(ctx context.Context) error {
	key := os.Getenv("EVERGRANT_API_KEY")
	if key == "" {
		return errors.New("set EVERGRANT_API_KEY to an API key of the hub with the scope admin")
	}
	client := &hubClient{base: c.URL, key: key}
	look, err := c.look(ctx, client)
	if err != nil {
		return err
	}
	look.show(os.Stdout)
	if err := c.ask(newAsker(c.Yes), look); err != nil {
		return err
	}
	if c.Confirm == "" && look.trusted { // what was agreed to has named providers without a publisher
		c.Confirm = look.Sum
	}
	return c.install(ctx, client)
}

// look reads the package and compares it with what the hub has.
func (c pluginInstallCmd) look(ctx context.Context, client *hubClient) (*packageLook, error) {
	v, err := authorkit.Verify(c.File, "")
	if err != nil {
		return nil, err
	}
	look := &packageLook{Verified: v}
	var plugins struct{ Items []pluginView }
	if err := client.get(ctx, "/api/v1/plugins", &plugins); err != nil {
		return nil, err
	}
	for _, p := range plugins.Items {
		if p.Name == v.Manifest.Name {
			look.compare(p)
		}
	}
	var keys struct{ Items []hubKey }
	if err := client.get(ctx, "/api/v1/plugin-keys", &keys); err != nil {
		return nil, err
	}
	for _, k := range keys.Items {
		if k.ID == v.Signer {
			look.signedBy(c.File, k)
		}
	}
	return look, nil
}

// ask has a person agree to what was shown.
func (c pluginInstallCmd) ask(a *asker, look *packageLook) error {
	if c.Approve || c.Enable {
		for _, host := range look.added {
			if err := a.allow(look.Manifest.Name, host, look.running, c.AllowHost); err != nil {
				return err
			}
		}
	}
	act := "Hand it in to"
	switch {
	case c.Enable:
		act = "Hand it in, approve and enable it at"
	case c.Approve:
		act = "Hand it in and approve it at"
	}
	return a.ask(act + " " + c.URL + "?")
}

// install uploads the package, and approves and enables it if requested.
func (c pluginInstallCmd) install(ctx context.Context, client *hubClient) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var p packageView
	if err := client.send(ctx, http.MethodPost, "/api/v1/plugin-packages", "application/octet-stream", file, &p); err != nil {
		return err
	}
	fmt.Printf("%s %s is handed in; the hub's check says: %s\n", p.Name, p.Version, p.State)
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
		if err := client.post(ctx, path+"/enable", map[string]any{"downgrade": c.Downgrade, "accept_losses": c.Losses}, &p); err != nil {
			return c.withWords(ctx, client, p.Name, err)
		}
		fmt.Println("  enabled: it runs")
	}
	return nil
}

// withWords shows what a plugin that did not start has written itself.
func (c pluginInstallCmd) withWords(ctx context.Context, client *hubClient, name string, err error) error {
	refused, ok := errors.AsType[*apiError](err)
	if !ok || refused.kind() != "plugin-failed" {
		return err
	}
	var plugins struct{ Items []pluginView }
	if client.get(ctx, "/api/v1/plugins", &plugins) != nil {
		return err
	}
	for _, p := range plugins.Items {
		if p.Name != name || len(p.LastWords) == 0 {
			continue
		}
		fmt.Println("  its process wrote last:")
		for _, line := range p.LastWords {
			fmt.Println("    " + line)
		}
	}
	return err
}
