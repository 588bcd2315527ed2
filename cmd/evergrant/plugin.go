package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/evergrant/evergrant/hub/authorkit"
)

// pluginCmd is for authors of plugins and for those who install them.
type pluginCmd struct {
	New     pluginNewCmd     `cmd:"" help:"Write a new provider's module, which compiles and passes the conformance suite at once; the matching SDK lies beside it."`
	Test    pluginTestCmd    `cmd:"" help:"Run the conformance suite on a built plugin, in any language."`
	Keygen  pluginKeygenCmd  `cmd:"" help:"Make a key to sign packages with."`
	Pack    pluginPackCmd    `cmd:"" help:"Make a package of a built plugin."`
	Sign    pluginSignCmd    `cmd:"" help:"Sign a package with a minisign key."`
	Verify  pluginVerifyCmd  `cmd:"" help:"Check a package as a hub does."`
	Install pluginInstallCmd `cmd:"" help:"Hand a package in to a running hub, and approve and enable it if asked."`
	Dev     pluginDevCmd     `cmd:"" help:"Build a plugin again whenever its source changes, and have a running hub swap it."`
}

type pluginNewCmd struct {
	Name   string `arg:"" help:"Name of the provider: small letters, digits, hyphens; PUBLISHER.NAME for those of other authors."`
	Dir    string `help:"New folder; evergrant-provider-NAME if not given." placeholder:"DIR"`
	Module string `help:"Path of the new Go module." placeholder:"PATH"`
}

// Run writes the module.
func (c pluginNewCmd) Run() error {
	dir, err := authorkit.New(authorkit.Scaffold{Name: c.Name, Dir: c.Dir, Module: c.Module})
	if err != nil {
		return err
	}
	fmt.Printf("%s is there. Next:\n\n  cd %s\n  go test ./...\n\nthen replace the example's addresses, texts and scopes in provider.go by your service's; README.md has the rest.\n", dir, dir)
	return nil
}

type pluginTestCmd struct {
	Binary   string `arg:"" help:"The built plugin." type:"existingfile"`
	Fixtures string `help:"JSON file with the service to test with: provider, options, scopes, replies, gaps…" type:"existingfile" placeholder:"FILE"`
	Report   string `help:"Write the report as JSON." placeholder:"FILE"`

	Unconfined bool `help:"Run the plugin without the sandbox, with all that you may do. For plugins of your own only."`
}

// Run tests a plugin and fails if a promise was broken.
func (c pluginTestCmd) Run(ctx context.Context) error {
	fixtures, err := authorkit.ReadFixtures(c.Fixtures)
	if err != nil {
		return err
	}
	fixtures.Unconfined = c.Unconfined
	report, err := authorkit.Test(ctx, c.Binary, fixtures)
	if err != nil {
		return err
	}
	for _, r := range report.Results {
		switch {
		case r.Gap != "":
			fmt.Printf("  gap   %-22s %s\n", r.Name, r.Gap)
		case r.Problem != "":
			fmt.Printf("  FAIL  %-22s %s\n        %s\n", r.Name, r.Promise, strings.ReplaceAll(r.Problem, "\n", "\n        "))
		default:
			fmt.Printf("  ok    %-22s %s\n", r.Name, r.Promise)
		}
	}
	if c.Report != "" {
		data, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Report, append(data, '\n'), 0o644); err != nil { //nolint:gosec // G306: a report is public
			return fmt.Errorf("write the report: %w", err)
		}
	}
	failed := len(report.Failed())
	fmt.Printf("\n%s: %d checks, %d failed; renewal proven: %t\n", report.Plugin, len(report.Results), failed, report.Renews)
	if failed > 0 {
		return errors.New("the plugin does not keep the contract")
	}
	return nil
}

type pluginKeygenCmd struct {
	File string `arg:"" help:"Where to write the private key; FILE.pub gets the public one. Neither may exist."`
}

// Run makes a key.
func (c pluginKeygenCmd) Run() error {
	public, err := authorkit.NewKey(c.File)
	if err != nil {
		return err
	}
	fmt.Printf("The private key is in %s; keep it to yourself.\nAdministrators trust the public one:\n\n  %s\n", c.File, public)
	return nil
}

type pluginPackCmd struct {
	Binary      string `arg:"" help:"The built plugin, or its script." type:"existingfile"`
	PackVersion string `name:"version" help:"Version of the package, like 1.2.3." required:"" placeholder:"VERSION"`
	Files       string `help:"Folder whose files go along." type:"existingdir" placeholder:"DIR"`
	Interpreter string `help:"node or python3, for a script." placeholder:"NAME"`
	MemoryMiB   int    `name:"memory-mib" help:"Memory that it needs, if the default is not enough."`
	Homepage    string `help:"Shown to administrators." placeholder:"URL"`
	License     string `help:"Shown to administrators, for example Apache-2.0." placeholder:"NAME"`
	Fixtures    string `help:"Run the conformance suite with these fixtures and put its outcome into the package." type:"existingfile" placeholder:"FILE"`
	Untested    bool   `help:"Do not run the conformance suite; the hub will show that nothing is proven."`
	Out         string `short:"o" help:"The package's path." placeholder:"FILE"`
	Unconfined  bool   `help:"Run the plugin without the sandbox, with all that you may do. For plugins of your own only."`
}

// Run makes a package.
func (c pluginPackCmd) Run(ctx context.Context) error {
	p := authorkit.Packing{
		Binary: c.Binary, Version: c.PackVersion, Files: c.Files, Interpreter: c.Interpreter, MemoryMiB: c.MemoryMiB,
		Homepage: c.Homepage, License: c.License, Out: c.Out, Unconfined: c.Unconfined,
	}
	if !c.Untested {
		fixtures, err := authorkit.ReadFixtures(c.Fixtures)
		if err != nil {
			return err
		}
		fixtures.Unconfined = c.Unconfined
		if p.Report, err = authorkit.Test(ctx, c.Binary, fixtures); err != nil {
			return fmt.Errorf("%w\n(give --fixtures if the suite needs options, or --untested)", err)
		}
		if failed := p.Report.Failed(); len(failed) > 0 {
			fmt.Fprintf(os.Stderr, "warning: the conformance suite failed: %s\n", strings.Join(failed, ", "))
		}
	}
	out, err := authorkit.Pack(ctx, p)
	if err != nil {
		return err
	}
	fmt.Println(out)
	return nil
}

type pluginSignCmd struct {
	File string `arg:"" help:"The package; it is signed in its place." type:"existingfile"`
	Key  string `help:"Private key of minisign or of keygen." required:"" type:"existingfile" placeholder:"FILE"`
}

// Run signs a package.
func (c pluginSignCmd) Run() error {
	return authorkit.Sign(c.File, c.Key, func() (string, error) {
		fmt.Fprint(os.Stderr, "Password of the key: ")
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err
	})
}

type pluginVerifyCmd struct {
	File string `arg:"" help:"The package." type:"existingfile"`
	Key  string `help:"Public key that must have signed it: a line of minisign, or a file with one." placeholder:"KEY"`
}

// Run checks a package.
func (c pluginVerifyCmd) Run() error {
	v, err := authorkit.Verify(c.File, c.Key)
	if err != nil {
		return err
	}
	m := v.Manifest
	fmt.Printf("%s %s for %s/%s, sha256:%s\n", m.Name, m.Version, m.OS, m.Arch, v.Sum)
	for _, p := range m.Providers {
		fmt.Printf("  provider %s, hosts: %s\n", p.Name, strings.Join(p.Hosts, ", "))
	}
	switch {
	case v.Trusted:
		fmt.Println("  signed by the given key", v.Signer)
	case v.Signer != "":
		fmt.Println("  says to be signed by", v.Signer+"; give --key to check that")
	default:
		fmt.Println("  not signed")
	}
	return nil
}

type pluginDevCmd struct {
	Source     string `arg:"" help:"Folder of the plugin's main package." type:"existingdir"`
	PluginsDir string `help:"Folder that the running hub watches." required:"" env:"EVERGRANT_PLUGINS_DIR" type:"existingdir" placeholder:"DIR"`
	Fixtures   string `help:"Run every operation twice with these fixtures after each build, and name the first request that differs." type:"existingfile" placeholder:"FILE"`
	Unconfined bool   `help:"Try what was built without the sandbox, with all that you may do. For plugins of your own only."`
}

func (c pluginDevCmd) fixtures() (*authorkit.Fixtures, error) {
	if c.Fixtures == "" {
		return nil, nil
	}
	fixtures, err := authorkit.ReadFixtures(c.Fixtures)
	fixtures.Unconfined = c.Unconfined
	return &fixtures, err
}

// Run builds and swaps until it is interrupted.
func (c pluginDevCmd) Run(ctx context.Context) error {
	fixtures, err := c.fixtures()
	if err != nil {
		return err
	}
	return authorkit.Watch(ctx, authorkit.Watching{
		Source: c.Source, Fixtures: fixtures, PluginsDir: c.PluginsDir, Unconfined: c.Unconfined,
		Say: func(format string, args ...any) { fmt.Printf(format+"\n", args...) },
	})
}
