package catalogue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// RestoreRefusedError is why a kept token set is not restored. Cause is one of
// connection's ErrRestore…
type RestoreRefusedError struct{ Cause error }

// Error implements error.
func (e *RestoreRefusedError) Error() string {
	return "the token set was not put back: " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *RestoreRefusedError) Unwrap() error { return e.Cause }

// Refusal marks it as a rule that says no, for the audit record.
func (e *RestoreRefusedError) Refusal() bool { return true }

// EventRestored is the kind of event that Restore writes.
const EventRestored = "connection.restored"

// Restore makes the token set of a past generation the next one; generation 0 is the last
// one that may still be valid. actor is who requested it, for the timeline. Errors:
// *RestoreRefusedError; store.ErrNotFound for the connection; store.ErrStale after
// repeated concurrent changes.
func (c *Catalogue) Restore(ctx context.Context, id string, generation int64, actor string) (connection.Connection, error) {
	for range 5 {
		now := time.Now()
		conn, err := c.store.Grants.Connection(ctx, id)
		if err != nil {
			return conn, err
		}
		past, err := c.pastSet(ctx, now, conn, generation)
		if err != nil {
			return conn, err
		}
		restored := conn.Restored(now, past)
		err = c.store.Grants.UpdateConnection(ctx, restored, conn)
		if errors.Is(err, store.ErrStale) {
			continue
		}
		if err != nil {
			return conn, err
		}
		c.log.Info("previous token set restored", "connection", conn.Name, "from", past.Generation, "generation", restored.Generation, "actor", actor)
		return restored, c.store.Grants.AddEvent(ctx, grantdb.Event{
			ConnectionID: conn.ID, ServiceID: conn.ServiceID, Kind: EventRestored, Actor: actor, At: now,
			Detail: fmt.Sprintf("generation %d was put back as generation %d", past.Generation, restored.Generation),
		})
	}
	return connection.Connection{}, store.ErrStale
}

// pastSet finds the set to restore, or why there is none.
func (c *Catalogue) pastSet(ctx context.Context, now time.Time, conn connection.Connection, generation int64) (connection.PastSet, error) {
	refuse := func(cause error) (connection.PastSet, error) {
		return connection.PastSet{}, &RestoreRefusedError{Cause: cause}
	}
	if generation > 0 {
		past, err := c.store.Grants.PastTokens(ctx, conn.ID, generation)
		if errors.Is(err, store.ErrNotFound) {
			// The other reasons say more than that it is not there.
			cause := conn.MayRestore(now, connection.PastSet{Generation: generation})
			if cause == nil || errors.Is(cause, connection.ErrRestoreUseless) {
				cause = connection.ErrRestoreGone
			}
			return refuse(cause)
		}
		if err != nil {
			return connection.PastSet{}, err
		}
		if cause := conn.MayRestore(now, past.PastSet); cause != nil {
			return refuse(cause)
		}
		return past.PastSet, nil
	}
	history, err := c.store.Grants.History(ctx, conn.ID)
	if err != nil {
		return connection.PastSet{}, err
	}
	sets := make([]connection.PastSet, len(history))
	for i, past := range history {
		sets[i] = past.PastSet
	}
	past, ok := conn.LastGood(now, sets)
	switch {
	case ok:
		return past, nil
	case len(sets) > 0:
		if cause := conn.MayRestore(now, sets[0]); cause != nil {
			return refuse(cause)
		}
	case conn.Policy.Rotates():
		return refuse(connection.ErrRestoreRotates)
	}
	return refuse(connection.ErrRestoreGone)
}
