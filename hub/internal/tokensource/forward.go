package tokensource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/restored"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tracing"
)

// remember writes the newest token set of a rotating grant beside the journal while it is
// saved in the database. The channel is closed when it is durable there: the reply must
// stay in the journal until then, because a database can be restored to an older state.
// It is nil if none is written.
func (s *Source) remember(c connection.Connection) (kept <-chan struct{}) {
	if s.newest == nil || !c.Policy.Rotates() || c.Lineage == "" {
		return nil
	}
	done := make(chan struct{})
	s.work.Go(func() {
		defer close(done)
		if err := s.newest.Put(context.WithoutCancel(s.life), entryOf(c)); err != nil {
			s.log.Warn("write local copy of token set failed, it is in the database only", "connection", c.Name, "error", err)
		}
	})
	return done
}

// forgetReply drops the reply of an intent from the journal once the token set is
// durable. It does not block.
func (s *Source) forgetReply(intentID string, kept <-chan struct{}) {
	if kept == nil {
		s.runner.Done(intentID)
		return
	}
	s.work.Go(func() {
		<-kept
		s.runner.Done(intentID)
	})
}

// Remember stores the token set of an authorization, as remember does.
func (s *Source) Remember(c connection.Connection) {
	if kept := s.remember(c); kept != nil {
		<-kept
	}
}

func entryOf(c connection.Connection) newest.Entry {
	return newest.Entry{
		Ahead:        connection.Ahead{Lineage: c.Lineage, Generation: c.Generation, Tokens: c.Tokens, RenewedAt: c.RenewedAt},
		ConnectionID: c.ID, SavedAt: time.Now(),
	}
}

// ahead is the token set that this hub holds and the connection's row lacks: the row
// comes from a backup, or from a standby that lagged behind.
func (s *Source) ahead(ctx context.Context, c connection.Connection) (connection.Ahead, bool) {
	if s.newest == nil || c.Lineage == "" || !s.newest.Beyond(c.ID, c.Generation) {
		return connection.Ahead{}, false
	}
	e, ok, err := s.newest.Newest(ctx, c.ID, c.Lineage)
	if err != nil {
		tracing.Log(ctx, s.log).Warn("read local copy of token set failed", "connection", c.Name, "error", err)
		return connection.Ahead{}, false
	}
	return e.Ahead, ok && c.Behind(e.Ahead)
}

// catchUp reports that the database went back, and brings a connection forward unless a
// hold is open until all replicas have compared: then the comparison does it. The given
// row may be stale, because a claim can have been read before a save. Errors:
// store.ErrStale then.
func (s *Source) catchUp(ctx context.Context, c connection.Connection, ahead connection.Ahead) (connection.Connection, error) {
	unsaved, read := s.unsaved(c.ID), time.Now() // before the row is read
	now, err := s.store.Grants.Connection(ctx, c.ID)
	if err != nil {
		return c, err
	}
	if now.Generation != c.Generation {
		return now, fmt.Errorf("%s was renewed since it was claimed: %w", c.Name, store.ErrStale)
	}
	if !unsaved {
		s.wentBack(read)
	}
	if s.held(now) == connection.CauseRestored {
		return s.holdBack(ctx, now, connection.CauseRestored)
	}
	return s.bringForward(ctx, now, ahead)
}

// bringForward saves a token set that the row does not know. Nothing is sent, and the
// spent refresh token of the row least of all.
func (s *Source) bringForward(ctx context.Context, c connection.Connection, ahead connection.Ahead) (connection.Connection, error) {
	forward := c.BroughtForward(s.Now(), ahead)
	err := s.store.Renewals.SaveRenewal(ctx, forward, c.Generation, "", s.Owner())
	for errors.Is(err, store.ErrStale) {
		// Another replica was first; its token set may be older than this one's.
		if c, err = s.store.Grants.Connection(ctx, c.ID); err != nil || !c.Behind(ahead) {
			return c, err
		}
		forward = c.BroughtForward(s.Now(), ahead)
		err = s.store.Renewals.SaveRenewal(ctx, forward, c.Generation, "", s.Owner())
	}
	if err != nil {
		return c, fmt.Errorf("bring %s forward to the newest token set that this hub knows: %w", c.Name, err)
	}
	s.log.Warn("database behind: connection brought forward to the local token set",
		"connection", c.Name, "from_generation", c.Generation, "to_generation", forward.Generation)
	return forward, nil
}

// Compare holds every kept token set against the database: what is behind is brought
// forward, and what belongs to no connection any more is dropped, unless the database has
// gone back: it may be the wrong one. It runs at start, before anything is renewed or
// replayed, after a restore, and once a day.
func (s *Source) Compare(ctx context.Context) (done restored.Comparison, err error) {
	if s.newest == nil {
		return done, nil
	}
	known, err := s.store.Grants.Generations(ctx)
	if err != nil {
		return done, fmt.Errorf("read how far the database has got: %w", err)
	}
	var gone, behind []string
	err = s.newest.Each(ctx, func(e newest.Entry) error {
		g, ok := known[e.ConnectionID]
		switch {
		case !ok:
			gone = append(gone, e.ConnectionID)
		case g.Lineage == e.Lineage && g.Generation < e.Generation:
			behind = append(behind, e.ConnectionID)
		case g.Lineage != e.Lineage && g.Generation < e.Generation && g.AuthorizedAt.Before(e.RenewedAt):
			done.Later = append(done.Later, e.ConnectionID)
		}
		return nil
	})
	if err != nil {
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		s.log.Error("compare local token sets with the database failed", "error", err)
		if err := s.newest.Truncated(ctx); err != nil { // it is of no use for what is behind a backup
			s.log.Warn("write newest token sets file failed", "error", err)
		}
		return done, nil
	}
	if err := s.putBackFlying(ctx); err != nil {
		return done, err
	}
	s.forget(ctx, gone)
	for _, id := range behind {
		unsaved := s.unsaved(id) // before the row is read
		forwarded, err := s.forwardOne(ctx, id)
		if err != nil {
			return done, err
		}
		if forwarded {
			done.Forwarded++
			done.Lost = done.Lost || !unsaved
		}
	}
	if done.Forwarded > 0 && !done.Lost {
		s.log.Info("applied renewals that the last run did not save", "connections", done.Forwarded)
	}
	if done.Lost {
		s.log.Error("database restore: connections brought forward to local token sets", "connections", done.Forwarded)
	}
	return done, nil
}

// Found is what the comparison of the start has shown.
func (s *Source) Found() restored.Comparison { return s.found }

// unsaved reports whether the journal has a reply for a connection whose outcome may not
// have reached the database: that the row is behind it shows nothing then.
func (s *Source) unsaved(id string) bool {
	return slices.ContainsFunc(s.journal.Pending(), func(op journal.Operation) bool {
		meta, readable := readMeta(op)
		return readable && meta.ConnectionID == id && len(op.Replies) > 0
	})
}

// keptAfterRestore is how long token sets of connections that the database does not know
// are kept after it went back: it may be restored once more.
const keptAfterRestore = 7 * 24 * time.Hour

// forget drops token sets of deleted connections.
func (s *Source) forget(ctx context.Context, gone []string) {
	if len(gone) == 0 {
		return
	}
	if _, back := s.identity.DatabaseWentBack(); back {
		return
	}
	at, err := s.store.Replicas.Restores(ctx)
	if err == nil && (at.Newest.ID == "" || at.Now.Sub(at.Newest.NoticedAt) > keptAfterRestore) {
		err = s.newest.Drop(ctx, gone...)
	}
	if err != nil {
		s.log.Warn("drop local token sets of deleted connections failed", "connections", len(gone), "error", err)
	}
}

func (s *Source) forwardOne(ctx context.Context, id string) (forwarded bool, err error) {
	c, err := s.store.Grants.Connection(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ahead, ok := s.ahead(ctx, c)
	if !ok {
		return false, nil
	}
	_, err = s.bringForward(ctx, c, ahead)
	return err == nil, err
}
