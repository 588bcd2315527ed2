package identity

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// waiting is a run whose open intents are adopted later.
type waiting struct {
	owner string
	// beat is the last one in the folder: if the run gave another one, it continued
	// elsewhere.
	beat int64
	// move is set for the run that this one was: connections are what is moved; all if nil.
	move        bool
	connections []string
}

// adopt takes up what runs left that are over for sure: those of this very place, whose
// lock is free and whose machine has not been started anew; and those that have left. The
// folder's own last run is waited for where it had another place: a volume that was moved,
// or a machine that was started anew, looks the same as a copy.
func (i *Identity) adopt(ctx context.Context, mark journal.Mark, before []replicadb.Replica) error {
	all, _, err := i.o.Store.Replicas.Replicas(ctx)
	if err != nil {
		return err
	}
	var over []string
	if mark.Epoch == 0 && len(before) == 0 {
		over = append(over, mark.Replica) // of a version without epochs, which held this lock
	}
	for _, r := range all {
		switch {
		case r.Owner() == i.self.Owner():
		case r.Place != "" && r.Place == i.self.Place, r.ID == i.self.ID && !r.LeftAt.IsZero():
			over = append(over, r.Owner())
		case r.ID == i.self.ID && r.Epoch == mark.Epoch:
			i.waiting = append(i.waiting, waiting{owner: r.Owner(), beat: mark.Beat})
		}
	}
	return i.takeUp(ctx, over)
}

func (i *Identity) takeUp(ctx context.Context, over []string) error {
	n, err := i.o.Store.Replicas.AdoptRun(ctx, over, i.self.Owner())
	if err == nil && n > 0 {
		i.log.Info("resuming renewals of an earlier run", "renewals", n)
	}
	return err
}

// adoptWaiting checks again the runs that may be over. A run is over if it has given no
// heartbeat for long enough, and none that the folder lacks: then this folder is the
// original, not a copy.
func (i *Identity) adoptWaiting(ctx context.Context, now time.Time) error {
	if len(i.waiting) == 0 {
		return nil
	}
	all, _, err := i.o.Store.Replicas.Replicas(ctx)
	if err != nil {
		return err
	}
	keep := i.waiting[:0]
	for n, w := range i.waiting {
		done, err := i.lookAgain(ctx, w, all, now)
		if err != nil {
			i.waiting = append(keep, i.waiting[n:]...)
			return err
		}
		if !done {
			keep = append(keep, w)
		}
	}
	i.waiting = keep
	return nil
}

func (i *Identity) lookAgain(ctx context.Context, w waiting, all []replicadb.Replica, now time.Time) (done bool, err error) {
	if w.move {
		_, err := i.o.Store.Replicas.MoveRun(ctx, w.owner, i.self.Owner(), w.connections...)
		return err == nil, err
	}
	n := slices.IndexFunc(all, func(r replicadb.Replica) bool { return r.Owner() == w.owner })
	switch {
	case n < 0, all[n].Beat > w.beat+1: // it is gone; or it went on elsewhere after this folder was copied
		return true, nil
	case now.Sub(all[n].HeartbeatAt) < missed*i.o.Every:
		return false, nil
	}
	return true, i.takeUp(ctx, []string{w.owner})
}
