package keydb

import "github.com/evergrant/evergrant/hub/internal/store/db"

// Rows reads and writes the rows of this package. It is safe for concurrent use.
type Rows struct{ db *db.DB }

// New returns the Rows of a database.
func New(d *db.DB) *Rows { return &Rows{db: d} }

// Schema are the rows of this package, one of each, to be compared with the migrations.
func Schema() []any { return []any{&keyRow{}} }
