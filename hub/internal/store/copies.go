package store

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// What copies of all rows are made of, for backups and restores.
type (
	// Table is a table as a Snapshot has it.
	Table = db.Table
	// Snapshot is a view of all rows at one moment, while hubs go on writing.
	Snapshot = db.Snapshot
	// Loading fills a database with the rows of another one.
	Loading = db.Loading
	// Detachment is since when a database is a copy that sends nothing.
	Detachment = db.Detachment
	// DetachedError reports that nothing is sent: the database is a detached copy.
	DetachedError = db.DetachedError
)

// DetachedKey is the setting of a detached copy: JSON of Detachment.
const DetachedKey = db.DetachedKey

// What Inspect and BeginLoad refuse.
var (
	// ErrNoDatabase reports that there is no SQLite file yet; the first start creates it.
	ErrNoDatabase = db.ErrNoDatabase
	// ErrNotEmpty: there are rows already that a restore would replace.
	ErrNotEmpty = db.ErrNotEmpty
	// ErrHubsRun: hubs are connected to the database.
	ErrHubsRun = db.ErrHubsRun
	// ErrNewerSchema: the rows are of a schema that this program does not know.
	ErrNewerSchema = db.ErrNewerSchema
)

// BeginLoad prepares a database for rows of a schema version. With replace it may have
// rows, which Commit replaces. No hub may run on it. Errors: ErrNotEmpty, ErrHubsRun,
// ErrNewerSchema.
func BeginLoad(ctx context.Context, o Options, schema int64, replace bool) (*Loading, error) {
	return db.BeginLoad(ctx, o, schema, replace)
}

// Detach makes a database a detached copy, with or without hubs on it. It is not migrated.
// Errors: ErrNoDatabase.
func Detach(ctx context.Context, o Options, d Detachment) error { return db.Detach(ctx, o, d) }

// Attach ends Detach. Errors: ErrNoDatabase, ErrNotFound if the database is no detached
// copy.
func Attach(ctx context.Context, o Options) error { return db.Attach(ctx, o) }
