package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/uuid"
)

// Mark is the owner of the folder and its progress: the replica, the epoch of its newest
// run, and the last heartbeat that the database has confirmed in that epoch.
type Mark struct {
	Replica string `json:"replica"`
	Epoch   int64  `json:"epoch"`
	Beat    int64  `json:"beat"`
}

// markFile holds the Mark; replicaFile its id alone, for older versions.
const markFile = "epoch"

// Mark returns the mark of the folder. Epoch 0 has not been registered yet.
func (j *Journal) Mark() Mark {
	j.home.markMu.Lock()
	defer j.home.markMu.Unlock()
	return j.home.mark
}

// SetMark writes the Mark durably. After an error it counts for this run all the same, and is
// written with the next one.
func (j *Journal) SetMark(m Mark) error {
	j.mu.Lock()
	err := j.home.locked()
	if j.closed {
		err = errClosed
	}
	j.mu.Unlock()
	j.home.markMu.Lock()
	j.home.mark = m
	j.home.markMu.Unlock()
	if err != nil {
		return fmt.Errorf("note the epoch in the journal's folder: %w", err)
	}
	return j.home.writeMark()
}

// Place identifies the machine's boot and the lock that this journal holds. An earlier
// holder of a journal of the same place has ended, or the lock would not be free: copies
// of a folder have another lock, and processes do not survive a reboot. It is "" where
// boots cannot be identified.
func (j *Journal) Place() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	id, err := os.ReadFile(bootIDFile)
	stat, ok := j.home.info.Sys().(*syscall.Stat_t)
	if err != nil || !ok {
		return ""
	}
	return fmt.Sprintf("%s/%x/%x", strings.TrimSpace(string(id)), stat.Dev, stat.Ino)
}

// ReadMark reads the Mark of a folder, which may be in use; its zero value if there is none.
func ReadMark(dir string) (Mark, error) {
	if _, err := os.Stat(filepath.Join(dir, replicaFile)); errors.Is(err, os.ErrNotExist) {
		return Mark{}, nil
	}
	return readMark(dir)
}

// readMark reads the owner of the folder; a new folder gets a new replica.
func readMark(dir string) (Mark, error) {
	data, err := os.ReadFile(filepath.Join(dir, markFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Mark{}, fmt.Errorf("read the replica's epoch: %w", err)
	}
	var m Mark
	if err == nil && json.Unmarshal(data, &m) == nil && m.Replica != "" {
		return m, nil
	}
	name, err := os.ReadFile(filepath.Join(dir, replicaFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Mark{}, fmt.Errorf("read the replica's name: %w", err)
	}
	if id := strings.TrimSpace(string(name)); id != "" {
		return Mark{Replica: id}, nil
	}
	return Mark{Replica: uuid.NewString()}, nil
}

// writeMark makes the mark durable, unless it is there.
func (h *home) writeMark() error {
	h.markMu.Lock()
	defer h.markMu.Unlock()
	data, err := json.Marshal(h.mark)
	if err != nil {
		return err
	}
	for _, file := range []struct{ name, content string }{
		{markFile, string(data)}, {replicaFile, h.mark.Replica}, // in this order: the first one counts
	} {
		path := filepath.Join(h.dir, file.name)
		if now, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(now)) == file.content {
			continue
		}
		if err := writeDurably(path, []byte(file.content+"\n")); err != nil {
			return fmt.Errorf("write the replica's name: %w", err)
		}
	}
	return nil
}
