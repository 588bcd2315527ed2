package doctor

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// silent is how long a replica gives no sign of life until it counts as stopped, and
// forgotten from when on nobody asks about it any more.
const (
	silent    = 15 * time.Second
	forgotten = 24 * time.Hour
)

// lookAtReplicas lists the hubs that are registered and holds this folder against them.
func (d *deployment) lookAtReplicas(ctx context.Context) []Finding {
	if d.db == nil {
		return []Finding{warn("there is no database to ask", "")}
	}
	all, now, err := d.db.Replicas(ctx)
	if err != nil {
		return []Finding{warn("they cannot be read", "a database of an older version has no list; the next start makes it")}
	}
	var found []Finding
	for _, r := range all {
		age := now.Sub(r.HeartbeatAt)
		if !r.FencedAt.IsZero() || age > forgotten {
			continue
		}
		said := fmt.Sprintf("%s (%s, start %d, version %s) gave a sign of life %s ago; place %s", r.Name, r.ID, r.Epoch, r.Version, age.Round(time.Second), r.Place)
		if age > silent {
			found = append(found, warn(said, "does it run, and does it reach the database? Its open renewals are waited for"))
			continue
		}
		found = append(found, ok(said))
	}
	found = append(found, d.ofFolder(all)...)
	if len(found) == 0 {
		found = append(found, ok("no hub runs"))
	}
	return found
}

// ofFolder says whether the data folder is a copy, or newer than the database.
func (d *deployment) ofFolder(all []replicadb.Replica) []Finding {
	mark, err := journal.ReadMark(filepath.Join(d.o.Config.DataDir, "journal"))
	if err != nil || mark.Epoch == 0 {
		return nil
	}
	newest, beat := int64(0), int64(0)
	for _, r := range all {
		if r.ID == mark.Replica && r.Epoch >= newest {
			newest, beat = r.Epoch, r.Beat
		}
	}
	switch {
	case newest > mark.Epoch:
		return []Finding{warn(fmt.Sprintf("this data folder is a copy or an older one: it knows of start %d of %s, and the database of %d", mark.Epoch, mark.Replica, newest),
			"the hub that starts here goes on as a new replica; if no copy was wanted, find out where it came from")}
	case mark.Epoch > newest, mark.Beat > beat+1:
		return []Finding{fail(fmt.Sprintf("the database is older than this data folder, which knows of start %d of %s (sign of life %d); the database knows of %d (%d)",
			mark.Epoch, mark.Replica, mark.Beat, newest, beat), "was a backup restored, or a standby promoted that lagged behind? See docs/operations.md")}
	}
	return nil
}
