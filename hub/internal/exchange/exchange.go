package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Options of an Exchanger. Zero times get defaults.
type Options struct {
	Sender *egress.Sender
	Logger hclog.Logger
	// Budget is how long a reply may take once its request may have left; 5 minutes.
	Budget time.Duration
	// SendWithin is how long it may take until the request is written; 30 s, and not
	// more than Budget.
	SendWithin time.Duration
}

// The defaults of Options.
const (
	DefaultBudget     = 5 * time.Minute
	DefaultSendWithin = 30 * time.Second
)

// Exchanger sends requests. It is safe for concurrent use.
type Exchanger struct {
	o    Options
	life context.Context
	end  context.CancelFunc

	mu   sync.Mutex
	out  int
	none chan struct{} // closed while nothing is out
}

// New returns an Exchanger. Close ends it.
func New(o Options) *Exchanger {
	if o.Budget <= 0 {
		o.Budget = DefaultBudget
	}
	if o.SendWithin <= 0 {
		o.SendWithin = min(DefaultSendWithin, o.Budget)
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	x := &Exchanger{o: o, none: make(chan struct{})}
	close(x.none)
	x.life, x.end = context.WithCancel(context.Background())
	return x
}

// Budget is how long an exchange may take whose provider declares the given time;
// zero is the hub's bound.
func (x *Exchanger) Budget(declared time.Duration) time.Duration { return max(x.o.Budget, declared) }

// SendWithin is how long after its start an exchange may still be written.
func (x *Exchanger) SendWithin() time.Duration { return x.o.SendWithin }

// Request is what is exchanged.
type Request struct {
	To   egress.Target
	HTTP *providerplugin.HTTPRequest
	// Declared is the provider's ExchangeTimeout.
	Declared time.Duration
	// Spends is set if the request spends something. Otherwise the exchange ends
	// with the context of Start.
	Spends bool
	// Fence is called before the request is written; an error keeps it from being written
	// and is the Reply's Err. May be nil.
	Fence func(ctx context.Context) error
	// Prover adds a proof of possession to the request; nil for none.
	Prover Prover
	// Ended is called with the reply before Exchange.Done is closed.
	Ended func(Reply)
}

// Reply is the end of an exchange: one of Response, Failure and Err is set.
type Reply struct {
	Response *providerplugin.HTTPResponse
	// Failure is an exchange without a reply.
	Failure *providerplugin.RelayError
	// Err is why nothing was sent: the error of Fence, or that the hub stops.
	Err error
	// Closed is set if the service, or something on the way, closed the connection
	// before the reply was whole. It may still be working on the request.
	Closed bool
}

// Exchange is a request that is out.
type Exchange struct {
	done  chan struct{}
	reply Reply
}

// Done is closed when Reply may be called.
func (e *Exchange) Done() <-chan struct{} { return e.done }

// Reply returns the end; Done has to be closed.
func (e *Exchange) Reply() Reply { return e.reply }

// ErrStopped is the Err of an exchange that was not sent because the hub stops.
var ErrStopped = errors.New("the hub stops, so nothing is sent any more")

// errBudget and errNotSent are why the hub abandoned an exchange.
var (
	errBudget  = errors.New("the time for the reply is over")
	errNotSent = errors.New("no connection was made in time")
)

// Start sends a request. The request ID and span of ctx go along; its end counts only for a
// request that spends nothing.
func (x *Exchanger) Start(ctx context.Context, r Request) *Exchange {
	e := &Exchange{done: make(chan struct{})}
	if !x.enter() {
		e.reply = Reply{Err: ErrStopped}
		if r.Ended != nil {
			r.Ended(e.reply)
		}
		close(e.done)
		return e
	}
	go func() {
		defer x.leave()
		defer close(e.done)
		e.reply = x.do(ctx, r)
		if r.Ended != nil {
			r.Ended(e.reply)
		}
	}()
	return e
}

// Look requests an address as a browser would and returns the status of the answer. It
// spends nothing and ends with ctx. Errors: *providerplugin.RelayError.
func (x *Exchanger) Look(ctx context.Context, to egress.Target, address string) (int, error) {
	request := &providerplugin.HTTPRequest{Method: http.MethodGet, URL: address, Header: http.Header{"Accept": {"text/html"}}}
	response, err := x.o.Sender.Send(ctx, to, request, egress.Hooks{})
	if err != nil {
		return 0, err
	}
	return response.Status, nil
}

// do runs an exchange to its end.
func (x *Exchanger) do(caller context.Context, r Request) Reply {
	ctx, cancel := context.WithCancelCause(tracing.Onto(x.life, caller))
	defer cancel(nil)
	if !r.Spends {
		defer context.AfterFunc(caller, func() { cancel(context.Cause(caller)) })()
	}
	budget := x.Budget(r.Declared)
	unsent := NewBudget(x.o.SendWithin, func() { cancel(errNotSent) })
	defer unsent.Stop()
	var reading *Budget
	var fenced error
	response, err := x.send(ctx, r, egress.Hooks{
		Before: func() error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if r.Fence != nil {
				fenced = r.Fence(ctx)
			}
			return fenced
		},
		Written: func() {
			unsent.Stop()
			if reading == nil {
				reading = NewBudget(budget, func() { cancel(errBudget) })
			}
		},
	})
	if reading != nil {
		reading.Stop()
	}
	if fenced != nil {
		return Reply{Err: fenced}
	}
	if err == nil {
		return Reply{Response: response}
	}
	failure, ok := errors.AsType[*providerplugin.RelayError](err)
	if !ok {
		return Reply{Err: err}
	}
	return x.judge(failure, context.Cause(ctx), budget)
}

// judge determines how an exchange failed: by its budget, by the hub's stop, or by the
// peer.
func (x *Exchanger) judge(failure *providerplugin.RelayError, cause error, budget time.Duration) Reply {
	switch {
	case errors.Is(cause, errBudget):
		told := *failure
		told.Message = fmt.Sprintf("no reply within %s", budget)
		return Reply{Failure: &told}
	case errors.Is(cause, errNotSent) && !failure.Written:
		told := *failure
		told.Message = fmt.Sprintf("no connection could be made within %s", x.o.SendWithin)
		return Reply{Failure: &told}
	case cause != nil && !failure.Written && x.life.Err() != nil:
		return Reply{Err: ErrStopped}
	}
	return Reply{Failure: failure, Closed: cause == nil && failure.Written}
}

// enter counts an exchange; false once Close was called.
func (x *Exchanger) enter() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.life.Err() != nil {
		return false
	}
	if x.out == 0 {
		x.none = make(chan struct{})
	}
	x.out++
	return true
}

func (x *Exchanger) leave() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.out--; x.out == 0 {
		close(x.none)
	}
}

// Out is the number of exchanges in flight.
func (x *Exchanger) Out() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.out
}

// Wait returns when nothing is out, or when ctx ends, and reports which.
func (x *Exchanger) Wait(ctx context.Context) bool {
	for {
		x.mu.Lock()
		none := x.none
		idle := x.out == 0
		x.mu.Unlock()
		if idle {
			return true
		}
		select {
		case <-none:
		case <-ctx.Done():
			return false
		}
	}
}

// Close abandons the exchanges in flight and refuses new ones. It returns when all have
// ended.
func (x *Exchanger) Close() {
	x.mu.Lock()
	x.end()
	none := x.none
	x.mu.Unlock()
	<-none
}
