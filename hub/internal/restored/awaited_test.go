package restored_test

import (
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/restored"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

func TestWhoIsWaitedForAfterARestore(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	backup := now.Add(-3 * 24 * time.Hour)
	self := replicadb.Replica{ID: "self", Epoch: 8, HeartbeatAt: now}
	all := []replicadb.Replica{
		self,
		{ID: "self", Epoch: 7, HeartbeatAt: backup, FencedAt: now},
		{ID: "lived", Epoch: 3, HeartbeatAt: backup.Add(-5 * time.Second)},
		{ID: "lived", Epoch: 2, HeartbeatAt: backup.Add(-time.Hour), FencedAt: backup},
		{ID: "started", Epoch: 4, HeartbeatAt: now.Add(-3 * time.Second)},
		{ID: "restarting", Epoch: 1, HeartbeatAt: backup.Add(-time.Minute), LeftAt: backup.Add(-time.Minute), FencedAt: backup.Add(-time.Minute)},
		{ID: "left", Epoch: 1, HeartbeatAt: backup.Add(-time.Hour), LeftAt: backup.Add(-time.Hour), FencedAt: backup.Add(-time.Hour)},
		{ID: "forgotten", Epoch: 1, HeartbeatAt: backup.Add(-25 * time.Hour)},
	}
	var ids []string
	for _, r := range restored.Awaited(all, self, now, backup) {
		ids = append(ids, r.ID)
	}
	if want := []string{"self", "lived", "started", "restarting"}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
	without := slices.DeleteFunc(slices.Clone(all), func(r replicadb.Replica) bool { return r.ID == "started" })
	if at := restored.WrittenAt(without, self); !at.Equal(backup) {
		t.Errorf("the registry was written at %s", at)
	}
	if got := len(restored.Awaited(without, self, now, time.Time{})); got != 3 {
		t.Errorf("%d are waited for where the time of the backup is not known", got)
	}
}
