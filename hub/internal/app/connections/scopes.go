package connections

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// needTries is how often a report is made anew that a concurrent change has made stale.
const needTries = 5

// NeedScopes is the report of a process that the service answered insufficient_scope, with
// the scopes that it asked for. What is new is kept and asked for with the next
// authorization, and the owner is told once; a report of what is known changes nothing,
// and leaves no record. The key of the process must be allowed to pull the connection: its
// caller checks that. Errors: *connection.NeedsError, store.ErrNotFound.
func (x *Connections) NeedScopes(ctx context.Context, w Which, reported []string) (after connection.Connection, err error) {
	for range needTries {
		if after, err = x.needScopes(ctx, w, reported); !errors.Is(err, store.ErrStale) {
			break
		}
	}
	return after, err
}

func (x *Connections) needScopes(ctx context.Context, w Which, reported []string) (after connection.Connection, err error) {
	was, err := x.find(ctx, w)
	if err != nil {
		return was, err
	}
	now := time.Now()
	after, fresh, err := was.NeedScopes(now, reported)
	a := about("connection.scopes_needed", "", w, "scopes", strings.Join(fresh, " "))
	a.On.Name = was.Name
	if err != nil {
		return was, x.o.Recorder.Attempted(ctx, a, err)
	}
	if len(fresh) == 0 {
		return was, nil
	}
	told := false
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		if err := x.o.Store.Grants.SaveScopeNeeds(ctx, after, was); err != nil {
			return err
		}
		told, err = escalation.NewPlanner(x.o.Store).TellScopes(ctx, after, now)
		return err
	})
	if told && err == nil {
		x.o.Told()
	}
	return after, err
}

// DeclineScopes decides that a connection is not to have the scopes that processes have
// reported as missing: they are not asked for, and nobody is told of them again. Errors:
// store.ErrNotFound, store.ErrStale.
func (x *Connections) DeclineScopes(ctx context.Context, w Which) (connection.Connection, error) {
	_, after, err := x.changed(ctx, about("connection.decline_scopes", access.ActOperate, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		declined := c.DeclineScopes()
		return declined, x.o.Store.Grants.SaveScopeNeeds(ctx, declined, c)
	})
	return after, err
}
