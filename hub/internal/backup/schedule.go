package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// Plan says when a hub makes backups by itself.
type Plan struct {
	// Dir is the folder; "" makes none.
	Dir string
	// Every is the time between two, Keep how many are kept.
	Every time.Duration
	Keep  int
}

// State is how scheduled backups went, the same on every replica.
type State struct {
	// GoodAt is when the last good one was begun; zero is never. File is its path on the
	// replica that made it.
	GoodAt time.Time `json:"good_at,omitzero"`
	File   string    `json:"file,omitempty"`
	Bytes  int64     `json:"bytes,omitempty"`
	// FailedAt and Problem are of the last one that failed since; zero and "" if none did.
	FailedAt time.Time `json:"failed_at,omitzero"`
	Problem  string    `json:"problem,omitempty"`
	// BegunAt is when one was begun that has not ended.
	BegunAt time.Time `json:"begun_at,omitzero"`
}

// stateKey is the setting with the State.
const stateKey = "backup.state"

const (
	// again is how long after a failure it is tried again.
	again = 10 * time.Minute
	// longest is how long one may take before it counts as lost with its replica.
	longest = 2 * time.Hour
)

// Due reports whether a backup is to be begun.
func (s State) Due(now time.Time, every time.Duration) bool {
	switch {
	case !s.BegunAt.IsZero() && now.Sub(s.BegunAt) < longest:
		return false
	case now.Sub(s.GoodAt) < every:
		return false
	}
	return now.Sub(s.FailedAt) >= min(again, every)
}

// Schedule makes backups by a Plan. One replica at a time is asked for it, by the job
// engine.
type Schedule struct {
	Plan   Plan
	Store  *store.Store
	Source Source
	Log    hclog.Logger

	work   sync.WaitGroup
	mu     sync.Mutex
	cancel context.CancelFunc // of the one under way; nil if none is
	ended  bool
}

// Look begins a backup if one is due. It returns at once: a backup may take longer than a
// job.
func (s *Schedule) Look(ctx context.Context) error {
	if s.Plan.Dir == "" {
		return nil
	}
	state, err := ReadState(ctx, s.Store)
	if err != nil || !state.Due(time.Now(), s.Plan.Every) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil || s.ended {
		return nil
	}
	state.BegunAt = time.Now().UTC()
	if err := writeState(ctx, s.Store, state); err != nil {
		return err
	}
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.work.Go(func() {
		defer cancel()
		s.make(working, state)
		s.mu.Lock()
		s.cancel = nil
		s.mu.Unlock()
	})
	return nil
}

// Close breaks off a backup that is under way; it is made after the next start.
func (s *Schedule) Close() {
	s.mu.Lock()
	s.ended = true
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()
	s.work.Wait()
}

// Wait returns when no backup is under way.
func (s *Schedule) Wait() { s.work.Wait() }

// make makes a backup and notes how it went.
func (s *Schedule) make(ctx context.Context, state State) {
	file, err := s.save(ctx)
	stopped := ctx.Err() != nil
	begun := state.BegunAt
	state.BegunAt = time.Time{}
	switch {
	case stopped:
		s.Log.Info("scheduled backup interrupted, will run after the next start")
	case err != nil:
		s.Log.Error("scheduled backup failed, retrying", "folder", s.Plan.Dir, "error", err)
		state.FailedAt, state.Problem = time.Now().UTC(), err.Error()
	default:
		state = State{GoodAt: begun, File: file}
		if info, err := os.Stat(file); err == nil {
			state.Bytes = info.Size()
		}
		s.Log.Info("scheduled backup written and verified", "file", file, "bytes", state.Bytes, "took", time.Since(begun).Round(time.Millisecond))
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := writeState(noting, s.Store, state); err != nil {
		s.Log.Error("save backup state failed", "error", err)
	}
}

func (s *Schedule) save(ctx context.Context) (string, error) {
	if err := os.MkdirAll(s.Plan.Dir, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of backups: %w", err)
	}
	file, _, err := Save(ctx, s.Source, s.Plan.Dir)
	if err != nil {
		return "", err
	}
	removed, err := Prune(s.Plan.Dir, s.Plan.Keep)
	if err != nil { // the new one is good all the same
		s.Log.Warn("remove old backups failed", "folder", s.Plan.Dir, "error", err)
	}
	for _, old := range removed {
		s.Log.Info("old backup removed", "file", old)
	}
	return file, nil
}

// ReadState reads how scheduled backups went; a zero State if none was ever begun.
func ReadState(ctx context.Context, st *store.Store) (s State, err error) {
	text, err := st.Setting(ctx, stateKey)
	if errors.Is(err, store.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	return stateOf(text), nil
}

// stateOf reads a setting. One that cannot be read is none: the next backup writes it anew.
func stateOf(text string) (s State) {
	if json.Unmarshal([]byte(text), &s) != nil {
		return State{}
	}
	return s
}

// InspectState is ReadState for a database that is only looked at.
func InspectState(ctx context.Context, in *store.Inspector) (State, error) {
	text, err := in.Setting(ctx, stateKey)
	if errors.Is(err, store.ErrNotFound) {
		return State{}, nil
	}
	return stateOf(text), err
}

func writeState(ctx context.Context, st *store.Store, s State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return st.SetSetting(ctx, stateKey, string(text))
}
