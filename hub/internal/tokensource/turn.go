package tokensource

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/tracing"
)

// turn is a renewal's turn at its token endpoint. A nil turn is that of an
// operation that only reads kept replies.
type turn struct {
	done func(endpoint.Outcome)

	mu   sync.Mutex
	last endpoint.Outcome
	// over is set once the turn was given back.
	over bool
	// slow counts the exchanges that are out without a turn, this one among them; nil if
	// it has its turn.
	slow *atomic.Int32
}

// enter waits for a turn. The endpoint of a service is learned from the requests
// that its plugin makes.
func (s *Source) enter(ctx context.Context, serviceID string) (*turn, error) {
	done, err := s.gate.Enter(ctx, s.gate.KeyFor(serviceID))
	if err != nil {
		return nil, err
	}
	return &turn{done: done, last: endpoint.NotSent()}, nil
}

// watch has the operation tell how its requests end. The last one counts: it is
// the token request, whatever came before. A service that takes long gives its turn
// back as one that does not answer, so that hung exchanges do not hold all places of
// an endpoint; what comes of it later is told apart.
func (t *turn) watch(s *Source, op *operation.Op, f *flight, connectionID string) {
	var whose endpoint.Counted
	if d := op.Service.Description; d != nil {
		whose = endpoint.Counted(d.Throttles)
	}
	op.Sent = func(key endpoint.Key, o endpoint.Outcome) {
		o = o.Of(connectionID, whose)
		s.gate.Learn(op.Service.ID, key)
		t.mu.Lock()
		t.last = o
		over := t.over
		t.mu.Unlock()
		if over {
			s.gate.Late(key, o)
		}
	}
	op.Slow = func() {
		f.markSlow()
		if s.slow.Add(1) > maxSlow {
			s.slow.Add(-1)
			return
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.over {
			t.slow, t.over = &s.slow, true
			t.done(endpoint.NoReply("it has not answered for a long time"))
		}
	}
}

// maxSlow bounds the exchanges that are out without a turn. Beyond it they keep theirs.
const maxSlow = 1024

// end gives the turn back; a second time changes nothing.
func (t *turn) end() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	t.done(t.last)
	if t.slow != nil {
		t.slow.Add(-1)
		t.slow = nil
	}
}

// deferred puts a renewal off whose endpoint is left alone: no failure of the
// grant, and none is counted. Any other error of enter is returned.
func (s *Source) deferred(ctx context.Context, c connection.Connection, err error) (connection.Connection, error) {
	closed, ok := errors.AsType[*endpoint.ClosedError](err)
	if !ok {
		return c, err
	}
	tracing.Log(ctx, s.log).Debug("a renewal is put off", "connection", c.Name, "endpoint", string(closed.Key), "until", closed.Until, "cause", closed.Cause)
	c = c.Deferred(s.Now(), closed.Until)
	if !closed.Busy {
		c.Cause = connection.Cause{Kind: connection.CauseOutage, Of: closed.Key.Host()}.String()
	}
	return c, s.store.SaveFailure(ctx, c, c.Generation, "", s.Owner())
}
