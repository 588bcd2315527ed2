package servicedb

import "github.com/evergrant/evergrant/hub/internal/store/db"

// Rows reads and writes the rows of this package. It is safe for concurrent use.
type Rows struct {
	db           *db.DB
	serviceCache serviceCache
	versions     *db.Batcher[string, int64] // of services, by id
}

// New returns the Rows of a database.
func New(d *db.DB) *Rows {
	s := &Rows{db: d, serviceCache: newServiceCache(mostServices)}
	s.versions = db.NewBatcher(d, 1, db.RowsAtOnce, s.serviceVersions)
	return s
}
