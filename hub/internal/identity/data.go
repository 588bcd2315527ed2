package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// DataPlace is where a SQLite database was used last. A restart of the machine does not
// change it; a copy of the file does, and so does another machine.
type DataPlace struct {
	// Machine identifies the machine without revealing its id; "" where it has none.
	Machine string `json:"machine"`
	// Inode is the file's number in its file system.
	Inode uint64 `json:"inode"`
}

// SettingDataPlace holds the DataPlace of the database. A deliberate move of the database
// removes it: the next start then records the new place.
const SettingDataPlace = "data_place"

// adoptFile requests a hub, running or not, to adopt its data folder as the original.
const adoptFile = "adopt"

// PlaceOf reads the place of a database's file.
func PlaceOf(file string) (DataPlace, error) {
	info, err := os.Stat(file)
	if err != nil {
		return DataPlace{}, err
	}
	var p DataPlace
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		p.Inode = stat.Ino
	}
	if id, err := os.ReadFile("/etc/machine-id"); err == nil && len(strings.TrimSpace(string(id))) > 0 {
		sum := sha256.Sum256([]byte("evergrant machine\x00" + strings.TrimSpace(string(id))))
		p.Machine = hex.EncodeToString(sum[:8])
	}
	return p, nil
}

// Same reports whether two places can be one.
func (p DataPlace) Same(q DataPlace) bool {
	return p.Inode == q.Inode && (p.Machine == "" || q.Machine == "" || p.Machine == q.Machine)
}

// DataOptions of CheckData.
type DataOptions struct {
	Store  *store.Store
	Logger hclog.Logger
	// Dir is the data folder, and File the database's; "" on PostgreSQL.
	Dir, File string
	// Moves is set if the folder is moved on purpose, as volumes are: nothing is suspected.
	Moves bool
}

// Data determines whether the data folder appears copied. On PostgreSQL it never does:
// there the epoch decides.
type Data struct {
	o       DataOptions
	here    DataPlace
	suspect atomic.Bool
}

// CheckData compares the place of the database with the one where it was used last.
func CheckData(ctx context.Context, o DataOptions) (*Data, error) {
	d := &Data{o: o}
	if o.File == "" {
		return d, nil
	}
	var err error
	if d.here, err = PlaceOf(o.File); err != nil {
		return nil, fmt.Errorf("look where the database lies: %w", err)
	}
	before, err := d.before(ctx)
	if err != nil {
		return nil, err
	}
	if o.Moves || before == nil || before.Same(d.here) {
		return d, d.keep(ctx)
	}
	d.suspect.Store(true)
	if err := d.Look(ctx); err != nil {
		return nil, err
	}
	if d.Suspected() {
		o.Logger.Error("data folder appears copied or restored: rotating grants are not renewed until `evergrant data adopt` confirms that it is the only one",
			"folder", o.Dir, "other_machine", before.Machine != d.here.Machine, "other_file", before.Inode != d.here.Inode)
	}
	return d, nil
}

// before is where the database was used last; nil if unknown.
func (d *Data) before(ctx context.Context) (*DataPlace, error) {
	value, err := d.o.Store.Setting(ctx, SettingDataPlace)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	var p DataPlace
	if err != nil || json.Unmarshal([]byte(value), &p) != nil {
		return nil, err
	}
	return &p, nil
}

func (d *Data) keep(ctx context.Context) error {
	data, err := json.Marshal(d.here)
	if err != nil {
		return err
	}
	return d.o.Store.SetSetting(ctx, SettingDataPlace, string(data))
}

// Suspected reports whether the data folder looks copied, so that grants that rotate wait.
func (d *Data) Suspected() bool { return d.suspect.Load() }

// Adopt declares this data folder the only one: it was moved or restored, and the other
// one is not in use.
func (d *Data) Adopt(ctx context.Context) error {
	if err := d.keep(ctx); err != nil {
		return fmt.Errorf("take the data folder for the original: %w", err)
	}
	d.o.Store.AfterCommit(ctx, func() {
		if d.suspect.Swap(false) {
			d.o.Logger.Warn("data folder adopted, rotating grants are renewed again", "folder", d.o.Dir)
		}
	})
	return nil
}

// Look checks for a file that requests to adopt the folder in its place.
func (d *Data) Look(ctx context.Context) error {
	if !d.Suspected() {
		return nil
	}
	path := filepath.Join(d.o.Dir, adoptFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var asked DataPlace
	if err != nil || json.Unmarshal(data, &asked) != nil || asked != d.here {
		return err // it came along with the copy
	}
	if err := d.Adopt(ctx); err != nil {
		return err
	}
	return os.Remove(path)
}

// AskToAdopt requests the hub of a data folder, running or not, to adopt it.
func AskToAdopt(dir, file string) error {
	here, err := PlaceOf(file)
	if err != nil {
		return err
	}
	data, err := json.Marshal(here)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, adoptFile), append(data, '\n'), 0o600)
}
