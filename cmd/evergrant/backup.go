package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"github.com/evergrant/evergrant/hub"
)

// Exit codes of backup and restore, beside 1 for what went wrong otherwise.
const (
	exitDamaged  = 3 // the backup is damaged, or does not hold what it should
	exitNotEmpty = 4 // the database has rows
	exitHubsRun  = 5 // hubs run on the database
)

type backupCmd struct {
	Make   backupMakeCmd   `cmd:"" default:"withargs" help:"Write a backup while hubs run (the default)."`
	Verify backupVerifyCmd `cmd:"" help:"Prove a backup: restore it into a throw-away database and open every sealed value. Exits 3 if it fails."`
}

type backupMakeCmd struct {
	configFlags `embed:""`

	Output string `short:"o" help:"File to write, or a folder for a file named by the time." default:"." placeholder:"FILE|DIR"`
	JSON   bool   `help:"Print what the backup holds as JSON."`
	Quiet  bool   `short:"q" help:"Do not tell of progress."`
}

// Run writes a backup.
func (c backupMakeCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	s, err := hub.Backup(ctx, cfg, version, c.Output, progressTo(c.Quiet))
	if err != nil {
		return err
	}
	return report(s, c.JSON, "is written and can be read back; it needs the hub's key "+fmt.Sprint(s.Key)+", which is not in it: keep a copy of the key elsewhere")
}

type backupVerifyCmd struct {
	configFlags `embed:""`

	File  string `arg:"" help:"The backup." type:"existingfile"`
	JSON  bool   `help:"Print what the backup holds as JSON."`
	Quiet bool   `short:"q" help:"Do not tell of progress."`
}

// Run proves a backup.
func (c backupVerifyCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	s, err := hub.VerifyBackup(ctx, cfg, c.File, progressTo(c.Quiet))
	if err != nil {
		return &exitError{code: exitDamaged, err: fmt.Errorf("%s proves nothing: %w", c.File, err)}
	}
	return report(s, c.JSON, fmt.Sprintf("is proven: it restores, and all of its %d sealed values open", s.Sealed))
}

type restoreCmd struct {
	configFlags `embed:""`

	File  string `arg:"" help:"The backup." type:"existingfile"`
	To    string `help:"Where to: postgres://…, sqlite:PATH or a data folder; the configured database if not given." placeholder:"URL|DIR"`
	Force bool   `help:"Replace a database that has rows. A SQLite file that is replaced is kept beside the new one; tables of PostgreSQL are not kept."`
	JSON  bool   `help:"Print what was restored as JSON."`
	Quiet bool   `short:"q" help:"Do not tell of progress."`
}

// Run restores a backup and prints the next steps.
func (c restoreCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	if err := hub.RestoreTo(&cfg, c.To); err != nil {
		return err
	}
	s, err := hub.Restore(ctx, cfg, c.File, c.Force, progressTo(c.Quiet))
	switch {
	case errors.Is(err, hub.ErrNotEmpty):
		return &exitError{code: exitNotEmpty, err: fmt.Errorf("%w: nothing was changed. Restore to another place with --to, or replace what is there with --force", err)}
	case errors.Is(err, hub.ErrHubsRun):
		return &exitError{code: exitHubsRun, err: err}
	case errors.Is(err, hub.ErrBackupDamaged):
		return &exitError{code: exitDamaged, err: fmt.Errorf("%w; nothing was changed", err)}
	case err != nil:
		return err
	}
	if err := report(s, c.JSON, "is restored"); err != nil || c.JSON {
		return err
	}
	fmt.Printf(afterRestore, s.MadeAt.Local().Format(time.DateTime))
	return nil
}

const afterRestore = `
Next:
  1. Start all hubs, each with its own data folder: it may hold newer tokens than the backup.
     Renewals that replace the refresh token wait until all have compared. Where no hub has
     used this database before, they also wait for ` + "`evergrant data adopt`" + `.
  2. Everybody logs in again: who was signed in is not restored. Then see the page
     "After a restore", or ` + "`evergrant data behind`" + `, for grants that wait for a decision.
  3. What was withdrawn after %s is back: see ` + "`evergrant data withdraw --list`" + `,
     and withdraw it again with --yes.
`

func progressTo(quiet bool) hub.Progress {
	if quiet {
		return nil
	}
	return func(table string, rows int64) {
		if rows > 0 {
			fmt.Fprintf(os.Stderr, "  %-22s %8d\n", table, rows)
		}
	}
}

func report(s hub.BackupSummary, asJSON bool, what string) error {
	if asJSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(s)
	}
	return reportText(os.Stdout, s, what)
}

func reportText(to io.Writer, s hub.BackupSummary, what string) error {
	var rows int64
	for n := range maps.Values(s.Rows) {
		rows += n
	}
	_, err := fmt.Fprintf(to, "%s %s.\nMade %s by evergrant %s from %s, tables of version %d: %d rows of %d tables, %d newest token sets.\n",
		s.File, what, s.MadeAt.UTC().Format(time.RFC3339), s.Version, s.Database, s.Schema, rows, len(s.Rows), s.Newest)
	return err
}

// exitError ends the program with a code of its own.
type exitError struct {
	code int
	err  error
}

// Error implements error.
func (e *exitError) Error() string { return e.err.Error() }

// Unwrap is the cause.
func (e *exitError) Unwrap() error { return e.err }
