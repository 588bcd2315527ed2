package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/internal/newest"
)

// lookAtNewest looks at the newest token sets that this machine keeps.
func (d *deployment) lookAtNewest(ctx context.Context) []Finding {
	dir := d.o.Config.DataDir
	var found []Finding
	for _, file := range newest.Damaged(dir) {
		found = append(found, warn(file+" was damaged and is kept aside", "look at the disk, then remove it; do not restore a backup before every grant was renewed once"))
	}
	s, err := newest.Inspect(ctx, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return append(found, warn("there is no "+filepath.Join(dir, newest.FileName)+" yet", "the first start makes it"))
	case err != nil:
		return append(found, fail(filepath.Join(dir, newest.FileName)+" cannot be read: "+err.Error(), "the next start keeps it aside and begins a new one; look at the disk"))
	}
	return append(found, ok(fmt.Sprintf("%d newest token sets of %d bytes are kept", s.Entries, s.Bytes)))
}

// lookAtBackup looks at the scheduled backups.
func (d *deployment) lookAtBackup(ctx context.Context) []Finding {
	plan := d.o.Config.Backup
	if plan.Dir == "" {
		return []Finding{ok("no schedule is set (backup.dir); evergrant backup makes one by hand")}
	}
	if d.db == nil {
		return []Finding{warn("the schedule cannot be looked at without a database", "")}
	}
	state, err := backup.InspectState(ctx, d.db)
	if err != nil {
		return []Finding{warn("the schedule cannot be looked at: "+err.Error(), "mend the database first")}
	}
	var found []Finding
	if state.Problem != "" {
		found = append(found, fail("the last one failed at "+state.FailedAt.Format(time.RFC3339)+": "+state.Problem, "mend that; the hub tries again every ten minutes"))
	}
	switch age := time.Since(state.GoodAt); {
	case state.GoodAt.IsZero():
		found = append(found, warn("none was made yet", "a hub makes the first one within minutes of its start"))
	case age > 2*plan.Every:
		found = append(found, fail("the last good one is of "+state.GoodAt.Format(time.RFC3339)+": "+state.File, "does a hub run?"))
	default:
		found = append(found, ok("the last good one is of "+state.GoodAt.Format(time.RFC3339)+": "+state.File))
	}
	return found
}
