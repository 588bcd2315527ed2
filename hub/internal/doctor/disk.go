package doctor

import (
	"fmt"

	"github.com/evergrant/evergrant/hub/internal/journal"
)

// Room that a hub needs: its journal has 4 MiB for each segment, its database grows.
const (
	littleRoom = 1 << 30
	noRoom     = 64 << 20
)

// lookAtDisk tries the disk as the journal uses it.
func lookAtDisk(dir string) []Finding {
	if err := journal.TryDisk(dir); err != nil {
		return []Finding{fail(dir+" cannot be written: "+err.Error(), "renewals do not begin while replies cannot be made durable: free the disk, or give the hub's user the folder")}
	}
	free, known := freeBytes(dir)
	if !known {
		return []Finding{ok(dir + " can be written")}
	}
	return []Finding{ofRoom(dir, free)}
}

func ofRoom(dir string, free uint64) Finding {
	room := fmt.Sprintf("%s has %.1f GiB free", dir, float64(free)/(1<<30))
	switch {
	case free < noRoom:
		return fail(room, "free the disk before the journal cannot be written")
	case free < littleRoom:
		return warn(room, "make room")
	}
	return ok(room + " and can be written")
}
