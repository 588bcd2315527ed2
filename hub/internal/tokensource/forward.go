package tokensource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/trail"
)

// remember keeps the newest token set of a rotating grant beside the journal, while it
// is saved in the database. The returned function waits until it is durable there: only
// then may the journal forget the reply, for a database can go back.
func (s *Source) remember(c connection.Connection) (kept func()) {
	if s.newest == nil || !c.Policy.Rotates() || c.Lineage == "" {
		return func() {}
	}
	done := make(chan struct{})
	s.work.Go(func() {
		defer close(done)
		if err := s.newest.Put(context.WithoutCancel(s.life), entryOf(c)); err != nil {
			s.log.Warn("the newest token set is only in the database: this hub's own copy could not be written", "connection", c.Name, "error", err)
		}
	})
	return func() { <-done }
}

// Remember keeps the token set of an authorisation, as remember does.
func (s *Source) Remember(c connection.Connection) { s.remember(c)() }

func entryOf(c connection.Connection) newest.Entry {
	return newest.Entry{
		Ahead:        connection.Ahead{Lineage: c.Lineage, Generation: c.Generation, Tokens: c.Tokens, RenewedAt: c.RenewedAt},
		ConnectionID: c.ID, SavedAt: time.Now(),
	}
}

// ahead is the token set that this hub knows and the connection's row does not: the row
// comes from a backup, or from a standby that lagged behind.
func (s *Source) ahead(ctx context.Context, c connection.Connection) (connection.Ahead, bool) {
	if s.newest == nil || c.Lineage == "" {
		return connection.Ahead{}, false
	}
	e, ok, err := s.newest.Newest(ctx, c.ID, c.Lineage)
	if err != nil {
		trail.Log(ctx, s.log).Warn("this hub's own copy of a token set cannot be read", "connection", c.Name, "error", err)
		return connection.Ahead{}, false
	}
	return e.Ahead, ok && c.Behind(e.Ahead)
}

// bringForward saves a token set that the row does not know. Nothing is sent, and the
// spent refresh token of the row least of all.
func (s *Source) bringForward(ctx context.Context, c connection.Connection, ahead connection.Ahead) (connection.Connection, error) {
	forward := c.BroughtForward(time.Now(), ahead)
	err := s.store.SaveRenewal(ctx, forward, c.Generation, "", s.Owner())
	if errors.Is(err, store.ErrStale) { // somebody else was faster
		return s.store.Connection(ctx, c.ID)
	}
	if err != nil {
		return c, fmt.Errorf("bring %s forward to the newest token set that this hub knows: %w", c.Name, err)
	}
	s.log.Warn("the database was behind; a connection was brought forward to the token set that this hub knows",
		"connection", c.Name, "from_generation", c.Generation, "to_generation", forward.Generation)
	return forward, nil
}

// compare holds every kept token set against the database: what is behind is brought
// forward, and what belongs to no connection any more is dropped. It runs at start, before
// anything is renewed or replayed, and once a day.
func (s *Source) compare(ctx context.Context) error {
	if s.newest == nil {
		return nil
	}
	known, err := s.store.Generations(ctx)
	if err != nil {
		return fmt.Errorf("read how far the database has got: %w", err)
	}
	var gone, behind []string
	err = s.newest.Each(ctx, func(e newest.Entry) error {
		g, ok := known[e.ConnectionID]
		switch {
		case !ok:
			gone = append(gone, e.ConnectionID)
		case g.Lineage == e.Lineage && g.Generation < e.Generation:
			behind = append(behind, e.ConnectionID)
		}
		return nil
	})
	if err != nil {
		s.log.Error("this hub's own copies of token sets cannot be compared with the database", "error", err)
		return nil
	}
	if err := s.newest.Drop(ctx, gone...); err != nil {
		s.log.Warn("copies of token sets of deleted connections could not be dropped", "connections", len(gone), "error", err)
	}
	for _, id := range behind {
		if err := s.forwardOne(ctx, id); err != nil {
			return err
		}
	}
	if len(behind) > 0 {
		s.log.Error("the database had gone back, as after a restore: connections were brought forward to what this hub knows", "connections", len(behind))
	}
	return nil
}

func (s *Source) forwardOne(ctx context.Context, id string) error {
	c, err := s.store.Connection(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if ahead, ok := s.ahead(ctx, c); ok {
		_, err = s.bringForward(ctx, c, ahead)
	}
	return err
}
