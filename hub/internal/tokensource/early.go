package tokensource

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
)

// early are journaled replies to a refresh token that the database does not know yet: it
// went back, and another replica has what lies between. By connection.
type early struct {
	mu      sync.Mutex
	replies map[string]earlyReply
}

type earlyReply struct {
	op   journal.Operation
	meta journalMeta
}

// add reports whether a reply was not there yet.
func (e *early) add(r earlyReply) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, known := e.replies[r.meta.ConnectionID]
	if e.replies == nil {
		e.replies = map[string]earlyReply{}
	}
	e.replies[r.meta.ConnectionID] = r
	return !known
}

func (e *early) of(connection string) (earlyReply, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.replies[connection]
	return r, ok
}

func (e *early) drop(connection string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.replies, connection)
}

func (e *early) all() (list []earlyReply) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.replies {
		list = append(list, r)
	}
	return list
}

// earlyEvery is how often rows are looked at that have to come to an early reply.
const earlyEvery = time.Second

// awaitRows takes up early replies as soon as another replica has brought their rows
// forward, until there are none or Close begins.
func (s *Source) awaitRows() {
	ticker := time.NewTicker(earlyEvery)
	defer ticker.Stop()
	for waiting := s.early.all(); len(waiting) > 0; waiting = s.early.all() {
		select {
		case <-s.tidying.Done():
			return
		case <-ticker.C:
		}
		for _, r := range waiting {
			s.lookAgain(r)
		}
	}
}

// lookAgain finishes a renewal whose row has come to its generation. An error leaves it to
// the next look.
func (s *Source) lookAgain(r earlyReply) {
	c, err := s.store.Grants.ConnectionOrTrashed(s.tidying, r.meta.ConnectionID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && c.Generation > r.meta.Generation:
		s.journal.Done(r.op.ID)
		s.early.drop(r.meta.ConnectionID)
	case err == nil && c.Generation == r.meta.Generation:
		if err := s.recoverReply(s.tidying, r.op); err != nil {
			s.log.Warn("apply early token response failed, retrying", "connection", c.Name, "error", err)
		}
	}
}

// settleEarly finishes a renewal whose reply was early, instead of sending the refresh
// token again that it has spent.
func (s *Source) settleEarly(ctx context.Context, c connection.Connection) (settled bool, _ connection.Connection, err error) {
	r, ok := s.early.of(c.ID)
	if !ok || r.meta.Generation != c.Generation {
		return false, c, nil
	}
	c, err = s.replay(ctx, c, s.intentOf(r.op, r.meta), r.op.Replies)
	if err == nil {
		s.early.drop(c.ID)
	}
	return true, c, err
}

// intentOf is the intent of a journaled renewal, which the database need not have.
func (s *Source) intentOf(op journal.Operation, meta journalMeta) renewaldb.Intent {
	return renewaldb.Intent{
		ID: op.ID, ConnectionID: meta.ConnectionID, Generation: meta.Generation, Owner: s.Owner(), StartedAt: meta.StartedAt, BegunAt: meta.begunAt(),
		SendBy: meta.SendBy, Deadline: meta.Deadline, PluginVersion: meta.PluginVersion, PluginSum: meta.PluginSum,
	}
}

func readMeta(op journal.Operation) (meta journalMeta, readable bool) {
	readable = json.Unmarshal(op.Meta, &meta) == nil && meta.ConnectionID != ""
	return meta, readable
}
