package newest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/libtnb/sqlite"
)

// schemaVersion is the value of PRAGMA user_version.
const schemaVersion = 1

const schema = `
CREATE TABLE entries (
    connection_id TEXT NOT NULL,
    lineage       TEXT NOT NULL,
    generation    INTEGER NOT NULL,
    tokens        BLOB NOT NULL, -- sealed
    size          INTEGER NOT NULL,
    saved_at      INTEGER NOT NULL,
    PRIMARY KEY (connection_id, lineage)
) STRICT;
CREATE INDEX entries_saved_at ON entries (saved_at);
CREATE TABLE marks (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE withdrawals (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    act    TEXT NOT NULL,
    kind   TEXT NOT NULL,
    object TEXT NOT NULL,
    UNIQUE (act, kind, object)
) STRICT;
PRAGMA user_version = 1;`

// connections is the number of connections to the file: one writes, the others read.
const connections = 4

// suffix of a file that is kept aside; mostDamaged bounds how many are.
const (
	damagedSuffix = ".damaged-"
	mostDamaged   = 3
)

// open opens the file and reads what is in it, or begins a new one if it is damaged.
func (k *Keeper) open(ctx context.Context) error {
	err := k.attach(ctx)
	if err == nil || !damage(err) {
		return err
	}
	if err := k.setAside(err); err != nil {
		return err
	}
	return k.attach(ctx)
}

// attach opens the file and checks it. A file that fails is closed again.
func (k *Keeper) attach(ctx context.Context) error {
	f, err := os.OpenFile(k.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the file of newest token sets: %w", err)
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("open the file of newest token sets: %w", err)
	}
	db, err := pool(k.path, "_txlock=immediate&_pragma=synchronous(FULL)&_pragma=journal_mode(WAL)")
	if err != nil {
		return err
	}
	if err = check(ctx, db); err == nil {
		err = begin(ctx, db)
	}
	if err == nil {
		err = k.use(ctx, db)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open the file of newest token sets %s: %w", k.path, err), db.Close())
	}
	k.db, k.info = db, info
	return nil
}

// use reads what is in a file and prepares to write to it.
func (k *Keeper) use(ctx context.Context, db *sql.DB) (err error) {
	if err = db.QueryRowContext(ctx, `SELECT COALESCE(SUM(size), 0) FROM entries`).Scan(&k.bytes); err != nil {
		return err
	}
	if err = k.index.load(ctx, db); err != nil {
		return err
	}
	k.save, err = db.PrepareContext(ctx, saveEntry)
	return err
}

func pool(path, extra string) (*sql.DB, error) {
	address := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: "_pragma=busy_timeout(5000)&" + extra}
	db, err := sql.Open(sqlite.DriverName, address.String())
	if err != nil {
		return nil, fmt.Errorf("open the file of newest token sets: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// errDamaged is the damage that SQLite's own check finds.
var errDamaged = errors.New("the file is damaged")

func check(ctx context.Context, db *sql.DB) error {
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, found)
	}
	return nil
}

func begin(ctx context.Context, db *sql.DB) error {
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return fmt.Errorf("it has version %d, made by a newer evergrant; this one knows %d: run the newer one, or move the file away", version, schemaVersion)
	}
	if version == schemaVersion {
		return nil
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	if err := setMark(ctx, tx, markSince, time.Now().UTC().Format(time.RFC3339Nano)); err != nil {
		return err
	}
	return tx.Commit()
}

// The codes of SQLite for a file that cannot be read as what it should be.
const (
	sqliteCorrupt = 11
	sqliteNotADB  = 26
)

// damage reports whether an error means that the file itself is damaged.
func damage(err error) bool {
	if errors.Is(err, errDamaged) {
		return true
	}
	coded, ok := errors.AsType[interface {
		error
		Code() int
	}](err)
	return ok && (coded.Code()&0xff == sqliteCorrupt || coded.Code()&0xff == sqliteNotADB)
}

// setAside moves a damaged file away with its companions.
func (k *Keeper) setAside(cause error) error {
	aside := k.path + damagedSuffix + time.Now().UTC().Format("20060102T150405.000000000Z")
	for _, companion := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(k.path+companion, aside+companion); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keep the damaged file of newest token sets: %w", err)
		}
	}
	k.log.Error("newest token sets file damaged, moved aside and recreated; a database restore is not fully detected until every grant has been renewed",
		"file", k.path, "kept_as", aside, "error", cause)
	all := Damaged(filepath.Dir(k.path))
	for _, old := range all[:max(0, len(all)-mostDamaged)] {
		for _, companion := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(old + companion)
		}
	}
	return nil
}

// Damaged are the damaged files of a data folder that were moved aside, oldest first. The
// operator removes them.
func Damaged(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, FileName+damagedSuffix+"*Z")) // the pattern is ours
	slices.Sort(found)
	return found
}

// Inspect looks at the file in a data folder without its key and changes nothing; a hub
// may write to it meanwhile. A missing file is fs.ErrNotExist.
func Inspect(ctx context.Context, dir string) (s Stats, err error) {
	s.Damaged = len(Damaged(dir))
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); err != nil {
		return s, err
	}
	db, err := pool(path, "_pragma=query_only(1)")
	if err != nil {
		return s, err
	}
	defer func() { _ = db.Close() }()
	if err := check(ctx, db); err != nil {
		return s, err
	}
	return s, db.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM entries`).Scan(&s.Entries, &s.Bytes)
}
