package renewaldb

import (
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Rows reads and writes the rows of this package. It is safe for concurrent use.
type Rows struct {
	db       *db.DB
	grants   *grantdb.Rows
	outcomes *db.Batcher[*outcome, error]
	intents  *db.Batcher[IntentRow, error]
	replies  *db.Batcher[keptReply, error]
}

// New returns the Rows of a database.
func New(d *db.DB, grants *grantdb.Rows) *Rows {
	s := &Rows{db: d, grants: grants}
	s.outcomes = db.NewBatcher(d, 2, db.RowsAtOnce, s.saveOutcomes)
	s.intents = db.NewBatcher(d, 2, db.RowsAtOnce, s.beginIntents)
	s.replies = db.NewBatcher(d, 1, db.RowsAtOnce, s.keepReplies)
	return s
}
