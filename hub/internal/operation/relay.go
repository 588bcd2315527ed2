package operation

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// relay answers the requests of one operation over all its runs.
type relay struct {
	runner *Runner
	op     *Op
	to     egress.Target

	mu      sync.Mutex
	replies map[int]reply
	// out is the exchange that is in flight; nil if none is.
	out *exchange.Exchange
	// private is a host that the hub did not reach for this service.
	private *egress.PrivateError
	// sent is set once a request may have reached the service.
	sent bool
	// answerable is until when a request without a reply may still be answered: its
	// peer closed the connection and may be working on it.
	answerable time.Time
	slow       sync.Once
}

// errStillOut ends a run of an operation whose exchange takes long: the plugin is not
// kept waiting. The operation is run again when the reply is there.
var errStillOut = errors.New("the service has not answered yet")

// RoundTrip implements providerplugin.Relay.
func (c *relay) RoundTrip(ctx context.Context, step int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	c.mu.Lock()
	if kept, ok := c.replies[step]; ok {
		c.mu.Unlock()
		return kept.answer(req)
	}
	e := c.out
	if e == nil {
		if c.op.Sending != nil {
			c.op.Sending()
		}
		e = c.start(ctx, step, req)
		c.out = e
	}
	c.mu.Unlock()
	slow := time.NewTimer(c.runner.slowAfter)
	defer slow.Stop()
	select {
	case <-e.Done():
	case <-slow.C:
		c.slow.Do(c.reportSlow)
		return nil, errStillOut
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.settle(e)
	if err := e.Reply().Err; err != nil {
		return nil, err
	}
	c.mu.Lock()
	kept, ok := c.replies[step]
	c.mu.Unlock()
	if !ok { // the previous run made another request at this step
		return nil, &providerplugin.PluginError{Message: "the plugin asked for another request than when the operation ran before"}
	}
	return kept.answer(req)
}

// Sign implements providerplugin.Relay. The signature is journaled like a reply, so that a
// repeated run is answered the same.
func (c *relay) Sign(ctx context.Context, step int, req *providerplugin.SignRequest) (string, error) {
	c.mu.Lock()
	kept, ok := c.replies[step]
	c.mu.Unlock()
	if ok {
		return kept.signature(req)
	}
	jwt, err := c.runner.keys.Sign(ctx, c.op.Service, c.op.Now, req)
	if err != nil {
		return "", &providerplugin.RelayError{Refused: true, Message: err.Error(), Err: err}
	}
	c.keep(ctx, step, newSignature(req, jwt), false)
	return jwt, nil
}

// start sends the request of a step. The caller holds mu.
func (c *relay) start(ctx context.Context, step int, req *providerplugin.HTTPRequest) *exchange.Exchange {
	return c.runner.exchanger.Start(ctx, exchange.Request{
		To: c.to, HTTP: req, Declared: c.declared(), Spends: c.op.Spends, Fence: c.op.Fence,
		Ended: func(r exchange.Reply) { c.ended(ctx, step, req, r) },
	})
}

func (c *relay) declared() time.Duration {
	if d := c.op.Service.Description; d != nil {
		return d.ExchangeTimeout
	}
	return 0
}

// ended handles the end of an exchange, whether or not a caller still waits for it.
func (c *relay) ended(ctx context.Context, step int, req *providerplugin.HTTPRequest, r exchange.Reply) {
	if r.Err != nil {
		return // nothing was sent
	}
	if r.Failure != nil {
		if private, ok := errors.AsType[*egress.PrivateError](r.Failure); ok {
			c.mu.Lock()
			c.private = private
			c.mu.Unlock()
		}
	}
	c.report(req, r.Response, r.Failure)
	c.keep(ctx, step, newReply(req, r.Response, r.Failure), r.Closed)
}

// settle notes that an exchange is over.
func (c *relay) settle(e *exchange.Exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out == e {
		c.out = nil
	}
}

// await waits for the exchange that a run left in flight and returns its end; nil if
// there was none.
func (c *relay) await() *exchange.Reply {
	c.mu.Lock()
	e := c.out
	c.mu.Unlock()
	if e == nil {
		return nil
	}
	<-e.Done()
	c.settle(e)
	return new(e.Reply())
}

func (c *relay) reportSlow() {
	if c.op.Slow != nil {
		c.op.Slow()
	}
}

// withPrivate adds to an error that a host in a private network was not reached, which
// the plugin cannot see: to it there was no reply.
func (c *relay) withPrivate(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil || c.private == nil {
		return err
	}
	return errors.Join(err, c.private)
}

// report passes the result of a request to the limiter of its endpoint.
func (c *relay) report(req *providerplugin.HTTPRequest, resp *providerplugin.HTTPResponse, failure *providerplugin.RelayError) {
	u, err := url.Parse(req.URL)
	if err != nil || failure != nil && failure.Refused {
		return // the hub itself refused it
	}
	var outcome endpoint.Outcome
	if failure != nil {
		outcome = endpoint.NoReply(failure.Message)
	} else {
		outcome = endpoint.Answered(resp.Status, resp.Header, time.Now())
	}
	if key := endpoint.KeyOf(u); c.op.Sent != nil {
		c.op.Sent(key, outcome)
	} else {
		c.runner.limiter.Observe(key, outcome)
	}
}

// keep stores a reply and makes it durable. A journal that cannot be written does not
// stop the operation: the reply may hold the only valid refresh token, and this process
// still has it.
func (c *relay) keep(ctx context.Context, step int, r reply, closed bool) {
	c.mu.Lock()
	c.replies[step] = r
	c.sent = c.sent || r.Status != 0 || r.Written
	if closed || r.lostOnTheWay() {
		c.answerable = time.Now().Add(closedGrace)
	}
	c.mu.Unlock()
	if !c.op.Journaled {
		return
	}
	data, err := json.Marshal(r)
	if err == nil {
		err = c.runner.journal.Append(c.op.ID, step, data)
	}
	if err != nil {
		tracing.Log(ctx, c.runner.log).Error("journal token response failed, it is in memory only", "operation", c.op.ID, "error", err)
	}
	crashpoint.At(crashpoint.Journaled)
	if c.op.Received != nil && r.Status != 0 {
		c.op.Received(c.kept())
	}
}

// closedGrace is how long a service may still be working on a request whose
// connection was closed or reset before the reply.
const closedGrace = 30 * time.Second

// kept returns the replies as Op.Kept takes them.
func (c *relay) kept() map[int][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[int][]byte, len(c.replies))
	for step, r := range c.replies {
		if data, err := json.Marshal(r); err == nil {
			all[step] = data
		}
	}
	return all
}
