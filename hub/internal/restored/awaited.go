package restored

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

const (
	// silent is how long a replica gives no sign of life until it counts as stopped.
	silent = 15 * time.Second
	// forgotten is how long a replica may have been silent when the database was as it is
	// now to be waited for.
	forgotten = 24 * time.Hour
	// leftForGood is how long a replica that stopped by itself is waited for: one that was
	// just being restarted comes back.
	leftForGood = 10 * time.Minute
)

// Awaited are the replicas of a registry that have to compare: those that are running,
// and those that were when it was written, because it may come from the backup. at is
// when that was; zero is WrittenAt.
func Awaited(all []replicadb.Replica, self replicadb.Replica, now, at time.Time) []replicadb.Replica {
	newest := map[string]int64{}
	for _, r := range all {
		newest[r.ID] = max(newest[r.ID], r.Epoch)
	}
	if at.IsZero() {
		at = WrittenAt(all, self)
	}
	var awaited []replicadb.Replica
	for _, r := range all {
		lives := now.Sub(r.HeartbeatAt) <= silent && r.LeftAt.IsZero()
		lived := at.Sub(r.HeartbeatAt) <= forgotten && (r.LeftAt.IsZero() || at.Sub(r.LeftAt) <= leftForGood)
		if newest[r.ID] == r.Epoch && (r.ID == self.ID || lives || lived) {
			awaited = append(awaited, r)
		}
	}
	return awaited
}

// WrittenAt is the newest sign of life in a registry but for this run's own: the database
// is of that moment, or of one after it. It is zero if there is none.
func WrittenAt(all []replicadb.Replica, self replicadb.Replica) (at time.Time) {
	for _, r := range all {
		if (r.ID != self.ID || r.Epoch != self.Epoch) && r.HeartbeatAt.After(at) {
			at = r.HeartbeatAt
		}
	}
	return at
}
