package newest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// task is a change that waits for the next commit.
type task struct {
	do   func(ctx context.Context, tx *sql.Tx) error
	err  error
	done chan struct{}
}

// mostAtOnce bounds the changes of one commit.
const mostAtOnce = 500

// change executes a change and returns when it is durable. All changes that arrive during
// a commit share the next one. If ctx ends, the caller returns; the change is made all
// the same.
func (k *Keeper) change(ctx context.Context, do func(ctx context.Context, tx *sql.Tx) error) error {
	t := &task{do: do, done: make(chan struct{})}
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return errClosed
	}
	k.queue = append(k.queue, t)
	if !k.running {
		k.running = true
		k.idle.Go(k.write)
	}
	k.mu.Unlock()
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// spacing is the least time between two commits while changes come faster than the disk
// takes them one by one: each commit waits for the disk, which the journal and a database
// may share.
const spacing = 20 * time.Millisecond

// write commits what is queued, batch by batch, until nothing is.
func (k *Keeper) write() {
	for crowded := false; ; {
		if crowded {
			<-time.After(spacing)
		}
		k.mu.Lock()
		batch := k.queue[:min(len(k.queue), mostAtOnce)]
		k.queue = k.queue[len(batch):]
		if len(batch) == 0 {
			k.queue, k.running = nil, false
			k.mu.Unlock()
			return
		}
		k.mu.Unlock()
		k.commit(batch)
		crowded = len(batch) > 1
	}
}

func (k *Keeper) commit(batch []*task) {
	err := k.mend(k.inPlace())
	if err == nil {
		if err = k.together(batch); damage(err) {
			if err = k.mend(err); err == nil {
				err = k.together(batch)
			}
		}
	}
	for _, t := range batch {
		t.err = err
	}
	if err != nil && len(batch) > 1 {
		for _, t := range batch { // one change must not fail the others
			t.err = k.together([]*task{t})
		}
	}
	for _, t := range batch {
		close(t.done)
	}
	if err == nil {
		k.bound()
	}
}

// together makes the changes of a batch in one transaction.
func (k *Keeper) together(batch []*task) error {
	ctx := context.Background()
	return k.read(func(db *sql.DB) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("write the newest token sets: %w", err)
		}
		defer func() { _ = tx.Rollback() }()
		for _, t := range batch {
			if err := t.do(ctx, tx); err != nil {
				return fmt.Errorf("write the newest token sets: %w", err)
			}
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("write the newest token sets: %w", err)
		}
		return nil
	})
}

// inPlace fails if the file is not where it was: what is written would be lost.
func (k *Keeper) inPlace() error {
	info, err := os.Stat(k.path)
	if err == nil && k.db != nil && os.SameFile(info, k.info) {
		return nil
	}
	k.log.Error("newest token sets file missing or replaced, recreated", "file", k.path)
	return errMoved
}

// errMoved reports that the open file is not the one that is linked by its name.
var errMoved = errors.New("the file of newest token sets is not in its place")

// mend opens what is in the place of the file, or begins another one after damage. Other
// errors stay, and so does nil.
func (k *Keeper) mend(cause error) error {
	if !errors.Is(cause, errMoved) && !damage(cause) {
		return cause
	}
	k.file.Lock()
	defer k.file.Unlock()
	if k.db == nil && k.isClosed() {
		return errClosed
	}
	if k.db != nil {
		_ = k.db.Close()
		k.db = nil
	}
	if damage(cause) {
		if err := k.setAside(cause); err != nil {
			return err
		}
	}
	return k.open(context.Background())
}

func (k *Keeper) isClosed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closed
}
