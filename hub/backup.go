package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/internal/config"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// ErrBackupDamaged is the cause of errors about a backup that is not as it was written.
var ErrBackupDamaged = backup.ErrDamaged

// What Restore refuses.
var (
	// ErrNotEmpty: the database has rows that a restore would replace.
	ErrNotEmpty = store.ErrNotEmpty
	// ErrHubsRun: hubs run on the database.
	ErrHubsRun = store.ErrHubsRun
)

// BackupSummary is the content of a backup.
type BackupSummary struct {
	// File is where it is.
	File string `json:"file"`
	// MadeAt is the moment that its rows are of.
	MadeAt time.Time `json:"made_at"`
	// Version is of the evergrant that made it, Schema of the tables, Database its kind.
	Version  string `json:"version"`
	Schema   int64  `json:"schema"`
	Database string `json:"database"`
	// Key is the id of the hub's key that it needs.
	Key uint32 `json:"key"`
	// Rows counts those of each table, Newest the token sets of the data folder.
	Rows   map[string]int64 `json:"rows"`
	Newest int64            `json:"newest"`
	// Sealed counts the sealed values that were opened; 0 if that was not tried.
	Sealed int `json:"sealed,omitempty"`
}

// Progress is called for each table that is done.
type Progress func(table string, rows int64)

func summaryOf(file string, s backup.Summary) BackupSummary {
	return BackupSummary{
		File: file, MadeAt: s.Header.MadeAt, Version: s.Manifest.Version, Schema: s.Manifest.Schema, Database: s.Manifest.Database,
		Key: s.Header.HubKey, Rows: s.Rows, Newest: s.Newest, Sealed: s.Sealed,
	}
}

// Backup writes a backup of the configured database to a file, or into a folder under a
// name of the time. Hubs may run on the database.
func Backup(ctx context.Context, cfg Config, version, output string, progress Progress) (BackupSummary, error) {
	box, err := readKey(cfg)
	if err != nil {
		return BackupSummary{}, err
	}
	file, s, err := backup.Save(ctx, backupSource(cfg, box, version, progress), output)
	return summaryOf(file, s), err
}

func backupSource(cfg Config, box *seal.Box, version string, progress Progress) backup.Source {
	return backup.Source{
		Database: store.Options{URL: cfg.Database.URL, DataDir: cfg.DataDir}, DataDir: cfg.DataDir, Box: box, Version: version, Progress: progress,
	}
}

// VerifyBackup proves a backup by restoring it into a throw-away database and opening
// every sealed value. Errors: ErrBackupDamaged, or what does not hold.
func VerifyBackup(ctx context.Context, cfg Config, file string, progress Progress) (BackupSummary, error) {
	box, err := readKey(cfg)
	if err != nil {
		return BackupSummary{}, err
	}
	s, err := backup.Verify(ctx, file, box, progress)
	return summaryOf(file, s), err
}

// RestoreTo names where Restore puts a backup: a postgres:// address, a sqlite: path, or a
// data folder. "" is the configured database.
func RestoreTo(cfg *Config, to string) error {
	switch {
	case to == "":
		return nil
	case hasScheme(to):
		cfg.Database = config.Database{URL: to}
	default:
		dir, err := filepath.Abs(to)
		if err != nil {
			return fmt.Errorf("restore to %s: %w", to, err)
		}
		cfg.Database, cfg.DataDir = config.Database{}, dir
	}
	return nil
}

func hasScheme(to string) bool {
	for _, scheme := range []string{"postgres://", "postgresql://", "sqlite:"} {
		if len(to) > len(scheme) && to[:len(scheme)] == scheme {
			return true
		}
	}
	return false
}

// Restore checks a whole backup and puts it into the place of the configured database,
// which has to be empty unless replace is set. No hub may run on it. Errors:
// ErrBackupDamaged, ErrNotEmpty, ErrHubsRun.
func Restore(ctx context.Context, cfg Config, file string, replace bool, progress Progress) (BackupSummary, error) {
	box, err := readKey(cfg)
	if err != nil {
		return BackupSummary{}, err
	}
	s, err := backup.Restore(ctx, file, backup.Target{
		Database: store.Options{URL: cfg.Database.URL, DataDir: cfg.DataDir}, DataDir: cfg.DataDir, Box: box, Replace: replace, Progress: progress,
	})
	return summaryOf(file, s), err
}

// readKey opens the key without making one.
func readKey(cfg Config) (*seal.Box, error) {
	if cfg.Key.Value != "" {
		return seal.FromKey(cfg.Key.Value)
	}
	box, err := seal.Open(cfg.Key.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no key at %s: a backup is sealed with the hub's key; put the copy of it there, or name it by EVERGRANT_KEY_FILE", cfg.Key.File)
	}
	return box, err
}

// backupSchedule makes backups by the configuration, whenever its Look is called.
func (h *Hub) backupSchedule(box *seal.Box) *backup.Schedule {
	b := h.cfg.Backup
	return &backup.Schedule{
		Plan: backup.Plan{Dir: b.Dir, Every: b.Every, Keep: b.Keep}, Store: h.store, Log: h.log.Named("backup"),
		Source: backupSource(h.cfg, box, h.version, nil),
	}
}

// backupState is how scheduled backups went and how often one is made.
func (h *Hub) backupState(ctx context.Context) (backup.State, time.Duration) {
	if h.cfg.Backup.Dir == "" {
		return backup.State{}, 0
	}
	state, err := backup.ReadState(ctx, h.store)
	if err != nil {
		return backup.State{}, 0 // the database check reports it
	}
	return state, h.cfg.Backup.Every
}

// backupStats are the stats of scheduled backups, for the metrics.
func (h *Hub) backupStats(ctx context.Context) (age, every time.Duration) {
	state, every := h.backupState(ctx)
	switch {
	case every == 0:
		return 0, 0
	case state.GoodAt.IsZero():
		return time.Since(h.startedAt), every
	}
	return time.Since(state.GoodAt), every
}
