package restored

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// What the file of newest token sets keeps: the newest restore that the folder has seen (a
// database that does not know it went back behind it), and the hub's last run.
const (
	markSeen = "restore"
	markRun  = "run"
)

// ofFile looks whether the file of newest token sets is as old as the rest of the folder: if
// its last run is not the one before this, it was put back from a copy.
func (h *Hold) ofFile(ctx context.Context) error {
	last, err := h.o.Newest.Mark(ctx, markRun)
	if err != nil {
		return err
	}
	self := h.o.Identity.Self()
	id, epoch, _ := strings.Cut(last, "/")
	n, err := strconv.ParseInt(epoch, 10, 64)
	if last != "" && id == self.ID && err == nil && n < self.Epoch-1 {
		h.log.Warn("newest token sets file is older than its data folder; token sets it lacks cannot be recovered after a database restore",
			"its_last_run", n, "last_run", self.Epoch-1)
		if err := h.o.Newest.Truncated(ctx); err != nil {
			return err
		}
	}
	return h.runs(ctx)
}

// runs notes this run in the file.
func (h *Hold) runs(ctx context.Context) error {
	owner := h.o.Identity.Owner()
	if h.run == owner {
		return nil
	}
	if err := h.o.Newest.SetMark(ctx, markRun, owner); err != nil {
		return fmt.Errorf("note this run in the data folder: %w", err)
	}
	h.run = owner
	return nil
}

// atStart determines whether the database went back while this hub was down, and how that
// was detected; "" if it did not, or if another replica has recorded it already. id is
// that of the restore to begin.
func (h *Hold) atStart(ctx context.Context) (cause, id string, err error) {
	if h.seen, err = h.o.Newest.Mark(ctx, markSeen); err != nil {
		return "", "", err
	}
	if id, err := h.ofBackup(ctx); id != "" || err != nil {
		return replicadb.RestoreBackup, id, err
	}
	gone, err := h.seenIsGone(ctx)
	if err != nil {
		return "", "", err
	}
	_, back := h.o.Identity.DatabaseWentBack()
	// A restore that the folder has not seen explains what it lacks.
	if gone || back && h.at.Newest.ID == h.seen {
		return replicadb.RestoreDatabase, "", nil
	}
	return "", "", nil
}

// ofBackup returns the restore by `evergrant restore` that is not recorded yet; "" if
// there is none.
func (h *Hold) ofBackup(ctx context.Context) (string, error) {
	mark, err := h.o.Store.Replicas.Restored(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	id := mark.BackupID + "@" + strconv.FormatInt(mark.At.UnixMilli(), 10)
	known, err := h.o.Store.Replicas.HasRestore(ctx, id)
	if known {
		id = ""
	}
	return id, err
}

// seenIsGone reports whether the database does not know a restore that the folder has seen.
func (h *Hold) seenIsGone(ctx context.Context) (bool, error) {
	if h.seen == "" || h.seen == h.at.Newest.ID {
		return false, nil
	}
	known, err := h.o.Store.Replicas.HasRestore(ctx, h.seen)
	return err == nil && !known, err
}

// notice looks whether the database went back while this hub runs.
func (h *Hold) notice(ctx context.Context) error {
	gone, err := h.seenIsGone(ctx)
	if err != nil {
		return err
	}
	back, has := h.o.Identity.DatabaseWentBack()
	fresh := has && back.Running && back != h.back
	// A restore that was noted after this hub's last confirmed sign of life is the same one.
	fresh = fresh && h.at.Newest.NoticedAt.Before(back.Confirmed)
	// What is newer is no news while a restore is not compared with.
	read := h.lost.Swap(nil)
	lost := read != nil && read.After(h.comparedAt) && h.at.Newest.ID == h.seen && !h.at.Newest.Held()
	h.back = back
	switch {
	case gone || fresh:
		return h.begin(ctx, replicadb.RestoreDatabase, "")
	case lost:
		return h.begin(ctx, replicadb.RestoreTokenSets, "")
	}
	return nil
}

// begin notes a restore, or joins the one that is open.
func (h *Hold) begin(ctx context.Context, cause, id string) error {
	if id == "" {
		id = store.NewID()
	}
	self := h.o.Identity.Self()
	all, now, err := h.o.Store.Replicas.Replicas(ctx)
	if err != nil {
		return err
	}
	var at time.Time
	if mark, err := h.o.Store.Replicas.Restored(ctx); err == nil && cause == replicadb.RestoreBackup {
		at = mark.BackupAt
	}
	awaited := Awaited(all, self, now, at)
	if at.IsZero() {
		at = WrittenAt(all, self)
	}
	begun, err := h.o.Store.Replicas.BeginRestore(ctx, replicadb.Restore{ID: id, Cause: cause, NoticedBy: self.Name, BackupAt: at}, h.o.Wait, awaited)
	if err != nil {
		return err
	}
	if begun {
		h.log.Error("database restore detected: rotating renewals on hold until all replicas have compared their newest token sets",
			"noticed_by", cause, "restore", id, "rows_are_of", at.UTC().Format(time.RFC3339), "replicas", len(awaited), "at_most", h.o.Wait)
	}
	if cause == replicadb.RestoreBackup { // it is noted now
		if err := h.o.Store.Replicas.ForgetRestored(ctx); err != nil {
			return err
		}
	}
	h.compared = ""
	h.held.Store(true)
	return h.read(ctx)
}

// sees records in the folder how far the database has got, after undone withdrawals were
// published.
func (h *Hold) sees(ctx context.Context, id string) error {
	if h.seen == id {
		return nil
	}
	if h.parts.Publish != nil {
		if err := h.parts.Publish(ctx); err != nil {
			return err
		}
	}
	if err := h.o.Newest.SetMark(ctx, markSeen, id); err != nil {
		return fmt.Errorf("note the restore in the data folder: %w", err)
	}
	h.seen = id
	return nil
}

// complete reports whether this replica alone has all that was ever renewed since the
// backup: with an embedded database it is the only one, if its file is older than the backup
// and nothing was dropped from it.
func (h *Hold) complete(ctx context.Context, r replicadb.Restore) (bool, error) {
	if h.o.Store.MultiReplica() || r.BackupAt.IsZero() {
		return false, nil
	}
	s, err := h.o.Newest.Extent(ctx)
	if err != nil || s.Since.IsZero() || s.Since.After(r.BackupAt) || !s.DroppedAt.IsZero() {
		return false, err
	}
	others, err := h.o.Store.Replicas.RestoreReplicas(ctx, r.ID)
	return len(others) == 1 && others[0].ID == h.o.Identity.Self().ID, err
}
