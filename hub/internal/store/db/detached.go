package db

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// DetachedKey is the setting of a detached copy: JSON of Detachment.
const DetachedKey = "data.detached"

// Detachment is since when a database is a copy that sends nothing.
type Detachment struct {
	At time.Time `json:"at"`
	// By is who detached it.
	By string `json:"by"`
}

// DetachedError reports that nothing is sent: the database is a detached copy of another
// one, whose hubs spend its refresh tokens and send its notifications.
type DetachedError struct{ Since time.Time }

// Error implements error.
func (e *DetachedError) Error() string {
	return "this hub works on a detached copy of a database: it renews nothing and sends nothing. If it is no copy, run `evergrant data attach`"
}

// Refusal marks it as a rule that says no, for the audit record.
func (e *DetachedError) Refusal() bool { return true }

// detachedLive is how long an answer of Detached is good for: a copy is made one before
// hubs run on it, so that this is only the time to notice an attach.
const detachedLive = 2 * time.Second

// detachedLook bounds the reading of the mark.
const detachedLook = 2 * time.Second

// detached is the last known answer.
type detached struct {
	mu      sync.Mutex
	at      time.Time // monotonic; zero is never
	looking bool
	err     *DetachedError
}

// Detached fails with a *DetachedError while the database is a detached copy. It is cheap:
// ask it before anything goes out. While the database cannot be read, the last answer
// holds; before there was one, that is an error as well.
func (s *DB) Detached(ctx context.Context) error {
	d := &s.detachment
	d.mu.Lock()
	known := !d.at.IsZero()
	look := !d.looking && (!known || time.Since(d.at) >= detachedLive)
	d.looking = d.looking || look
	d.mu.Unlock()
	var failure error
	if look {
		failure = s.lookDetached(ctx)
	} else if !known {
		_, failure = s.readDetached(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.err != nil:
		return d.err
	case !known && d.at.IsZero():
		return failure
	}
	return nil
}

// lookDetached brings the last known answer up to date.
func (s *DB) lookDetached(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, detachedLook)
	defer cancel()
	found, err := s.readDetached(ctx)
	d := &s.detachment
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looking = false
	if err == nil {
		d.at, d.err = time.Now(), found
	}
	return err
}

func (s *DB) readDetached(ctx context.Context) (*DetachedError, error) {
	text, err := s.Setting(ctx, DetachedKey)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var d Detachment
	_ = json.Unmarshal([]byte(text), &d) // a mark that cannot be read is one all the same
	return &DetachedError{Since: d.At}, nil
}
