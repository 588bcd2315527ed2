package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// enterAsNew continues as a new replica: the folder's replica was started elsewhere
// since. The content of the journal is still applied: the generation decides whether it
// counts.
func (i *Identity) enterAsNew(ctx context.Context, mark journal.Mark, before []replicadb.Replica) error {
	newest := replicadb.Replica{ID: mark.Replica}
	if len(before) > 0 {
		newest = before[0]
	}
	if _, err := i.register(ctx, uuid.NewString(), 1, 0); err != nil {
		return err
	}
	i.log.Warn("data folder is a copy or outdated: its replica was started elsewhere, continuing as a new replica; renewals that it left open wait for that replica",
		"replica", mark.Replica, "epoch_of_the_folder", mark.Epoch, "newest_epoch", newest.Epoch, "newest_place", newest.Place, "now", i.self.ID)
	i.notice(Notice{Kind: Copied, Replica: mark.Replica, Epoch: mark.Epoch, Newest: newest.Epoch, Now: i.self.Owner()})
	return i.adopt(ctx, mark, before)
}

// replace gives a fenced run a new identity, with its renewals in flight. Its requests in
// flight still count.
func (i *Identity) replace(ctx context.Context) error {
	all, _, err := i.o.Store.Replicas.Replicas(ctx)
	if err != nil {
		return err
	}
	old, mark := i.self, i.o.Journal.Mark()
	row, newest := find(all, old)
	if row == nil && newest <= old.Epoch {
		return i.afterBack(ctx, Back{Replica: old.ID, Epoch: old.Epoch, Beat: i.beat.Acked, KnownEpoch: newest})
	}
	if row != nil && row.FencedAt.IsZero() && row.Beat < i.beat.Acked {
		return i.afterBack(ctx, Back{Replica: old.ID, Epoch: old.Epoch, Beat: i.beat.Acked, KnownEpoch: row.Epoch, KnownBeat: row.Beat})
	}
	kind, flying := Fenced, []string(nil)
	if row != nil && row.FencedAt.IsZero() { // beats that are not ours: the same process runs twice
		kind, flying = Doubled, i.flying()
	}
	if _, err := i.register(ctx, uuid.NewString(), 1, 0); err != nil {
		return err
	}
	i.log.Warn(saidOf[kind], "replica", old.ID, "epoch", old.Epoch, "newest_epoch", newest, "now", i.self.ID)
	i.notice(Notice{Kind: kind, Replica: mark.Replica, Epoch: old.Epoch, Newest: newest, Now: i.self.Owner()})
	if kind == Doubled && len(flying) == 0 {
		return nil
	}
	return i.move(ctx, old.Owner(), flying...)
}

var saidOf = map[Kind]string{
	Fenced:  "replica identity taken over by a hub on a copy of the data folder, continuing as a new replica",
	Doubled: "heartbeat of this replica sent by another process (machine cloned while running), continuing as a new replica",
}

// move transfers the renewals in flight.
func (i *Identity) move(ctx context.Context, from string, connections ...string) error {
	n, err := i.o.Store.Replicas.MoveRun(ctx, from, i.self.Owner(), connections...)
	if err != nil {
		i.waiting = append(i.waiting, waiting{owner: from, move: true, connections: connections})
		return fmt.Errorf("take what is under way along: %w", err)
	}
	if n > 0 {
		i.log.Info("renewals in flight continue under the new replica identity", "renewals", n)
	}
	return nil
}

func (i *Identity) flying() []string {
	if of := i.inFlight.Load(); of != nil {
		return (*of)()
	}
	return nil
}

// find returns the row of a run and the newest epoch of its id.
func find(all []replicadb.Replica, of replicadb.Replica) (row *replicadb.Replica, newest int64) {
	for n, r := range all {
		if r.ID != of.ID {
			continue
		}
		newest = max(newest, r.Epoch)
		if r.Epoch == of.Epoch {
			row = &all[n]
		}
	}
	return row, newest
}
