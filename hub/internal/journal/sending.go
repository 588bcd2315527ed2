package journal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// Sending marks that a request of an operation is about to be written. The mark outlives
// the process, but not the machine: it is not synced. An error keeps the request from
// being written, for its reply could not be made durable.
func (j *Journal) Sending(op string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ensure(); err != nil {
		return err
	}
	if e, ok := j.pending[op]; ok && e.Sending {
		return nil
	}
	_, err := j.put(frame{kind: kindSending, op: op})
	return err
}

// NeverSent reports whether it is certain that no request was written of an operation
// that an earlier run of this hub began at a time: there is no mark of it, and none can
// have been lost, neither with the machine nor by damage.
func (j *Journal) NeverSent(op string, startedAt time.Time) bool {
	j.mu.Lock()
	e, ok := j.pending[op]
	marked := ok && (e.Sending || len(e.Replies) > 0)
	since := j.marksSince
	j.mu.Unlock()
	return !marked && !since.IsZero() && startedAt.After(since) && !j.MayHaveLost(startedAt)
}

// bootIDFile is where Linux names the machine's start.
const bootIDFile = "/proc/sys/kernel/random/boot_id"

// bootFile names the place in which the folder is used, and since when.
const bootFile = "boot"

type boot struct {
	ID    string    `json:"id"` // a Place
	Since time.Time `json:"since"`
}

// marksSince returns since when the folder has been used in its place: without a reboot,
// and without having been copied. Older marks may not have reached the disk, or may be in
// the folder that this one was copied from. It is zero where boots cannot be identified.
func marksSince(dir, place string, now time.Time) time.Time {
	if place == "" {
		return time.Time{}
	}
	path := filepath.Join(dir, bootFile)
	current, known := boot{ID: place, Since: now}, boot{}
	if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &known) == nil && known.ID == current.ID {
		return known.Since
	}
	data, err := json.Marshal(current)
	if err == nil {
		err = writeDurably(path, append(data, '\n'))
	}
	if err != nil {
		return time.Time{}
	}
	return now
}
