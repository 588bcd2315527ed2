// Command evergrant is the hub and what people run beside it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub"
)

type commands struct {
	Serve     serveCmd     `cmd:"" default:"withargs" help:"Run the hub (the default)."`
	Demo      demoCmd      `cmd:"" help:"Run the hub beside emulated services, one ready service of each: try everything without an account anywhere."`
	SmokeTest smokeTestCmd `cmd:"" help:"Run the main job unattended in a temporary folder: add, authorize, pull, expire, pull again. Exits 0 if every check passed."`
	Token     tokenCmd     `cmd:"" help:"Pull a token from a running hub, for scripts. Exits 3 if a person is needed, 4 if the key may not, 5 to ask again later, 6 if the operator has to act."`
	Key       keyCmd       `cmd:"" help:"Manage the key that seals secrets."`
	Audit     auditCmd     `cmd:"" help:"Verify the audit records, and anchor them elsewhere."`
	Doctor    doctorCmd    `cmd:"" help:"Look at a deployment and say what to mend: key, database, clock, plugins, callback address, disk. Exits 1 if something fails."`
	Backup    backupCmd    `cmd:"" help:"Back up the database while hubs run, and prove backups."`
	Restore   restoreCmd   `cmd:"" help:"Restore a backup. Exits 3 if it is damaged, 4 if the database has rows, 5 if hubs run on it."`
	Data      dataCmd      `cmd:"" help:"Make a copied database harmless, put it to work, and see to a restored one."`
	Plugin    pluginCmd    `cmd:"" help:"Write, test, pack, sign and check plugins."`
	Version   versionCmd   `cmd:"" help:"Print the version, as --version does."`
}

// configFlags are the options that can also be set by file and environment.
type configFlags struct {
	Config      string `help:"Configuration file (YAML); see configs/evergrant.full.yaml." type:"existingfile" env:"EVERGRANT_CONFIG" placeholder:"FILE"`
	Listen      string `help:"Address to listen on, for example :8080." placeholder:"HOST:PORT"`
	DataDir     string `help:"Folder for database, key and journal." placeholder:"DIR"`
	DatabaseURL string `help:"postgres://… instead of SQLite in the data folder." placeholder:"URL"`
	PublicURL   string `help:"Address of the hub as browsers see it." placeholder:"URL"`
	PluginsDir  string `help:"Folder with evergrant-provider-* programs." placeholder:"DIR"`
	LogLevel    string `help:"trace, debug, info, warn or error." placeholder:"LEVEL"`
}

// load reads the configuration; flags win over environment over file.
func (f configFlags) load() (hub.Config, error) {
	flags := map[string]any{}
	for key, value := range map[string]string{
		"listen": f.Listen, "data_dir": f.DataDir, "database.url": f.DatabaseURL, "public_url": f.PublicURL,
		"plugins.dir": f.PluginsDir, "log.level": f.LogLevel,
	} {
		if value != "" {
			flags[key] = value
		}
	}
	return hub.LoadConfig(f.Config, os.Environ(), flags)
}

func main() {
	var cmd commands
	if len(os.Args) == 2 && os.Args[1] == "--version" { // alone: commands have an option of that name
		os.Args[1] = "version"
	}
	parser := kong.Parse(&cmd,
		kong.Name("evergrant"),
		kong.Description("Evergrant keeps OAuth grants alive: a person authorizes once, processes pull valid tokens by name."),
		kong.UsageOnError(),
	)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	parser.BindTo(ctx, (*context.Context)(nil))
	if err := parser.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		code := 1
		if exit, ok := errors.AsType[*exitError](err); ok {
			code = exit.code
		}
		os.Exit(code)
	}
}

// newLogger writes to stderr; standard output belongs to commands.
func newLogger(level, format string) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name: "evergrant", Level: hclog.LevelFromString(level), JSONFormat: format == "json", Output: os.Stderr,
	})
}
