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

// permit entitles a renewal to send to its token endpoint. A nil permit is that of an
// operation that only reads kept replies.
type permit struct {
	done func(endpoint.Outcome)

	mu   sync.Mutex
	last endpoint.Outcome
	// over is set once the permit was returned.
	over bool
	// slow counts the exchanges that are out without a permit, this one among them; nil if
	// it holds one.
	slow *atomic.Int32
}

// enter waits for a permit. The endpoint of a service is learned from the requests
// that its plugin makes.
func (s *Source) enter(ctx context.Context, serviceID string) (*permit, error) {
	done, err := s.limiter.Enter(ctx, s.limiter.KeyFor(serviceID))
	if err != nil {
		return nil, err
	}
	return &permit{done: done, last: endpoint.NotSent()}, nil
}

// watch registers for the outcomes of the operation's requests. The last one counts: it
// is the token request. If the service takes long, the permit is returned with the
// outcome of an endpoint that does not answer, so that hung exchanges do not occupy all
// permits of an endpoint; a later outcome is reported separately.
func (p *permit) watch(s *Source, op *operation.Op, f *flight, connectionID string) {
	var whose endpoint.Counted
	if d := op.Service.Description; d != nil {
		whose = endpoint.Counted(d.Throttles)
	}
	op.Sent = func(key endpoint.Key, o endpoint.Outcome) {
		o = o.Of(connectionID, whose)
		s.limiter.Learn(op.Service.ID, key)
		p.mu.Lock()
		p.last = o
		over := p.over
		p.mu.Unlock()
		if over {
			s.limiter.Late(key, o)
		}
	}
	op.Slow = func() {
		f.markSlow()
		if s.slow.Add(1) > maxSlow {
			s.slow.Add(-1)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.over {
			p.slow, p.over = &s.slow, true
			p.done(endpoint.NoReply("it has not answered for a long time"))
		}
	}
}

// maxSlow bounds the exchanges that are out without a permit. Beyond it they keep theirs.
const maxSlow = 1024

// end returns the permit; a second call does nothing.
func (p *permit) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.done(p.last)
	if p.slow != nil {
		p.slow.Add(-1)
		p.slow = nil
	}
}

// deferred puts a renewal off whose endpoint is left alone: no failure of the
// grant, and none is counted. Any other error of enter is returned.
func (s *Source) deferred(ctx context.Context, c connection.Connection, err error) (connection.Connection, error) {
	closed, ok := errors.AsType[*endpoint.ClosedError](err)
	if !ok {
		return c, err
	}
	tracing.Log(ctx, s.log).Debug("renewal deferred", "connection", c.Name, "endpoint", string(closed.Key), "until", closed.Until, "cause", closed.Cause)
	c = c.Deferred(s.Now(), closed.Until)
	if !closed.Busy {
		c.Cause = connection.Cause{Kind: connection.CauseOutage, Of: closed.Key.Host()}.String()
	}
	return c, s.store.Renewals.SaveFailure(ctx, c, c.Generation, "", s.Owner())
}
