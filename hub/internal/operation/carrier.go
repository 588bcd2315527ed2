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
	"github.com/evergrant/evergrant/hub/internal/trail"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// carrier answers the requests of one operation over all its runs.
type carrier struct {
	runner *Runner
	op     *Op
	to     egress.Target

	mu      sync.Mutex // one run at a time
	replies map[int]reply
	// private is a host that the hub did not reach for this service.
	private *egress.PrivateError
	// sent is set once a request may have reached the service.
	sent bool
}

// Carry implements providerplugin.Carrier.
func (c *carrier) Carry(ctx context.Context, step int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept, ok := c.replies[step]; ok {
		return kept.answer(req)
	}
	if c.op.Sending != nil {
		c.op.Sending()
	}
	resp, err := c.runner.sender.Send(ctx, c.to, req)
	failure, isFailure := errors.AsType[*providerplugin.CarryError](err)
	if err != nil && !isFailure {
		return nil, err
	}
	c.sent = c.sent || err == nil || failure.Written
	if private, ok := errors.AsType[*egress.PrivateError](err); ok {
		c.private = private
	}
	c.tell(req, resp, failure)
	c.keep(ctx, step, newReply(req, resp, failure))
	if failure != nil {
		return nil, failure
	}
	return resp, nil
}

// withPrivate adds to an error that a host in a private network was not reached:
// the plugin knows only that there was no reply.
func (c *carrier) withPrivate(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil || c.private == nil {
		return err
	}
	return errors.Join(err, c.private)
}

// tell makes of a request's end what the gate has to know about the endpoint.
func (c *carrier) tell(req *providerplugin.HTTPRequest, resp *providerplugin.HTTPResponse, failure *providerplugin.CarryError) {
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
		c.runner.gate.Observe(key, outcome)
	}
}

// keep remembers a reply and makes it durable. A journal that cannot be written
// does not stop the operation: the reply may hold the only live refresh token,
// and this process still has it.
func (c *carrier) keep(ctx context.Context, step int, r reply) {
	c.replies[step] = r
	if !c.op.Journaled {
		return
	}
	data, err := json.Marshal(r)
	if err == nil {
		err = c.runner.journal.Append(c.op.ID, step, data)
	}
	if err != nil {
		trail.Log(ctx, c.runner.log).Error("a reply could not be journaled; it is safe only while this hub runs", "operation", c.op.ID, "error", err)
	}
	crashpoint.At(crashpoint.Journaled)
}
