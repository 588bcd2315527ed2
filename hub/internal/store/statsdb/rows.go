package statsdb

import (
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Rows reads and writes the rows of this package. It is safe for concurrent use.
type Rows struct {
	db     *db.DB
	grants *grantdb.Rows
}

// New returns the Rows of a database.
func New(d *db.DB, grants *grantdb.Rows) *Rows { return &Rows{db: d, grants: grants} }
