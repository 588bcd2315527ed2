package identity

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// Back reports that the database went back: a backup was restored, or a standby that
// lagged behind was promoted. The folder has recorded more than the database.
type Back struct {
	Replica string
	// Epoch and Beat are the folder's progress; KnownEpoch and KnownBeat the database's.
	Epoch, Beat           int64
	KnownEpoch, KnownBeat int64
	// Running is set if it happened while the hub ran; Confirmed is then when the database
	// confirmed the last sign of life before, by its clock.
	Running   bool
	Confirmed time.Time
}

// DatabaseWentBack reports whether this hub has seen the database go back, and the last time
// that it did.
func (i *Identity) DatabaseWentBack() (Back, bool) {
	i.noticeMu.Lock()
	defer i.noticeMu.Unlock()
	if i.back == nil {
		return Back{}, false
	}
	return *i.back, true
}

// compare holds the folder against what the database knew at the start.
func (i *Identity) compare(mark journal.Mark, before []replicadb.Replica) {
	known := replicadb.Replica{ID: mark.Replica}
	if len(before) > 0 {
		known = before[0]
	}
	switch {
	case mark.Epoch > known.Epoch || mark.Epoch == known.Epoch && mark.Beat > known.Beat:
		i.wentBack(Back{Replica: mark.Replica, Epoch: mark.Epoch, Beat: mark.Beat, KnownEpoch: known.Epoch, KnownBeat: known.Beat})
	case mark.Epoch > 0 && (known.Epoch > mark.Epoch+1 || known.Beat > mark.Beat+1 || known.Epoch > mark.Epoch && known.Beat > 1):
		i.folderWentBack(mark, known)
	}
}

// folderWentBack reports that the folder is older than the database. One more heartbeat,
// or one start without any, is what a crash leaves.
func (i *Identity) folderWentBack(mark journal.Mark, known replicadb.Replica) {
	i.log.Warn("data folder is older than the database: it is a copy or was restored; newer token sets that it held are lost",
		"replica", mark.Replica, "epoch", mark.Epoch, "beat", mark.Beat, "epoch_in_database", known.Epoch, "beat_in_database", known.Beat)
	i.notice(Notice{Kind: FolderBack, Replica: mark.Replica, Epoch: mark.Epoch, Newest: known.Epoch, Now: i.self.Owner()})
}

func (i *Identity) wentBack(b Back) {
	i.noticeMu.Lock()
	i.back = &b
	i.noticeMu.Unlock()
	i.log.Error("database is older than the data folder: a backup was restored or a lagging standby promoted",
		"replica", b.Replica, "epoch", b.Epoch, "beat", b.Beat, "epoch_in_database", b.KnownEpoch, "beat_in_database", b.KnownBeat)
	i.notice(Notice{Kind: DatabaseBack, Replica: b.Replica, Epoch: b.Epoch, Newest: b.KnownEpoch, Now: i.self.Owner()})
}

// afterBack registers the run anew in a database that went back, with the next epoch.
func (i *Identity) afterBack(ctx context.Context, b Back) error {
	old := i.self
	next := max(b.Epoch, b.KnownEpoch) + 1
	if _, err := i.register(ctx, old.ID, next, next-1); err != nil {
		return err
	}
	b.Running, b.Confirmed = true, i.confirmed
	i.wentBack(b)
	return i.move(ctx, old.Owner())
}
