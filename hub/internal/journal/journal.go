package journal

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/google/uuid"
)

// Sealer encrypts what is written; *seal.Box is one. The associated data binds
// a ciphertext to its place.
type Sealer interface {
	Seal(plain []byte, table, id, column string) ([]byte, error)
	Open(sealed []byte, table, id, column string) ([]byte, error)
}

// Journal is the file. Its methods are safe for concurrent use.
type Journal struct {
	box     Sealer
	replica string
	path    string

	mu      sync.Mutex // guards what follows and the order of writes
	file    *os.File
	size    int64
	written uint64 // count of records written
	pending map[string]*Operation
	broken  error // set when a failed write left the file's end unknown

	syncMu sync.Mutex // held during fsync; queueing on it is the group commit
	synced uint64     // count of records known to be on the disk
}

// Operation is what the journal knows of an operation that is not done.
type Operation struct {
	ID string
	// Meta is what Begin was given.
	Meta []byte
	// Replies by step; a gap is a step without a reply.
	Replies map[int][]byte
}

// compactAt is the file size, in bytes, from which the done part is dropped.
const compactAt = 16 << 20

// Open reads the journal in dir, which it makes if need be, and locks it.
func Open(dir string, box Sealer) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the journal's folder: %w", err)
	}
	j := &Journal{box: box, path: filepath.Join(dir, "replies.journal"), pending: map[string]*Operation{}}
	var err error
	if j.replica, err = replicaName(filepath.Join(dir, "replica")); err != nil {
		return nil, err
	}
	j.file, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if err := lock(j.file); err != nil {
		_ = j.file.Close()
		return nil, fmt.Errorf("the journal %s is in use by another hub: give each hub a data folder of its own: %w", j.path, err)
	}
	if err := j.replay(); err != nil {
		_ = j.file.Close()
		return nil, err
	}
	if err := j.compact(); err != nil {
		_ = j.file.Close()
		return nil, err
	}
	return j, nil
}

// Replica is the stable name of the hub that owns this journal: intents carry
// it, so that a restarted hub knows its own.
func (j *Journal) Replica() string { return j.replica }

// Begin opens an operation; one that is open already keeps what it has. meta is
// whatever is needed to finish it later; it is sealed. It need not be durable by
// itself: the first Append makes it so.
func (j *Journal) Begin(op string, meta []byte) error {
	if _, ok := j.Operation(op); ok {
		return nil
	}
	_, err := j.write(record{kind: kindBegin, op: op, payload: meta})
	return err
}

// Append adds the reply of a step and returns once it is durable.
func (j *Journal) Append(op string, step int, reply []byte) error {
	n, err := j.write(record{kind: kindReply, op: op, step: uint32(step), payload: reply})
	if err != nil {
		return err
	}
	return j.sync(n)
}

// Done closes an operation: its outcome is saved elsewhere, or it has none.
func (j *Journal) Done(op string) {
	// A lost Done costs a look at start, so it is neither synced nor an error.
	_, _ = j.write(record{kind: kindDone, op: op})
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.size > compactAt && len(j.pending) == 0 {
		_ = j.compactLocked()
	}
}

// Pending returns the operations that are not done, oldest id first.
func (j *Journal) Pending() []Operation {
	j.mu.Lock()
	defer j.mu.Unlock()
	ops := make([]Operation, 0, len(j.pending))
	for _, op := range j.pending {
		ops = append(ops, op.clone())
	}
	slices.SortFunc(ops, func(a, b Operation) int { return strings.Compare(a.ID, b.ID) })
	return ops
}

// Operation returns what is known of one that is not done.
func (j *Journal) Operation(id string) (Operation, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	op, ok := j.pending[id]
	if !ok {
		return Operation{}, false
	}
	return op.clone(), true
}

func (o *Operation) clone() Operation {
	c := Operation{ID: o.ID, Meta: o.Meta, Replies: make(map[int][]byte, len(o.Replies))}
	maps.Copy(c.Replies, o.Replies)
	return c
}

// Close syncs and unlocks the file. Later writes fail.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken == nil {
		j.broken = errors.New("the journal is closed")
	}
	return errors.Join(j.file.Sync(), j.file.Close())
}

// write appends a record and returns its number.
func (j *Journal) write(r record) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return 0, j.broken
	}
	frame, err := r.frame(j.box)
	if err != nil {
		return 0, err
	}
	if _, err := j.file.WriteAt(frame, j.size); err != nil {
		// What was written in part is overwritten by the next record, and a
		// reader stops at a frame whose checksum is wrong.
		return 0, fmt.Errorf("write to the journal %s (is the disk full?): %w", j.path, err)
	}
	j.size += int64(len(frame))
	j.written++
	j.apply(r)
	return j.written, nil
}

// sync returns when record n is on the disk. Whoever waits here while an fsync
// runs is served by the next one, all together.
func (j *Journal) sync(n uint64) error {
	j.syncMu.Lock()
	defer j.syncMu.Unlock()
	if j.synced >= n {
		return nil
	}
	j.mu.Lock()
	upTo, file := j.written, j.file
	j.mu.Unlock()
	if err := file.Sync(); err != nil {
		return fmt.Errorf("fsync the journal %s: %w", j.path, err)
	}
	j.synced = upTo
	return nil
}

func (j *Journal) apply(r record) {
	switch r.kind {
	case kindBegin:
		j.pending[r.op] = &Operation{ID: r.op, Meta: r.payload, Replies: map[int][]byte{}}
	case kindReply:
		op, ok := j.pending[r.op]
		if !ok {
			op = &Operation{ID: r.op, Replies: map[int][]byte{}}
			j.pending[r.op] = op
		}
		op.Replies[int(r.step)] = r.payload
	case kindDone:
		delete(j.pending, r.op)
	}
}

func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

func replicaName(path string) (string, error) {
	name, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(name))) > 0 {
		return strings.TrimSpace(string(name)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the replica's name: %w", err)
	}
	id := uuid.NewString()
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the replica's name: %w", err)
	}
	return id, nil
}
