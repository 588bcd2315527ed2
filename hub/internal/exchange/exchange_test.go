package exchange_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// endpoint is a token endpoint that answers when it is told to.
type endpoint struct {
	*httptest.Server
	arrived chan struct{} // gets one for each request
	answer  chan struct{} // closed: answer
	cut     atomic.Bool   // close the connection instead
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{arrived: make(chan struct{}, 10), answer: make(chan struct{})}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e.arrived <- struct{}{}
		<-e.answer
		if e.cut.Load() {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte(`{"refresh_token":"next"}`))
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) request() exchange.Request {
	return exchange.Request{
		To: egress.Target{Hosts: []provider.Host{{Pattern: e.URL}}}, Spends: true,
		HTTP: &providerplugin.HTTPRequest{Method: http.MethodPost, URL: e.URL, Body: []byte("refresh_token=r")},
	}
}

func newExchanger(t *testing.T, budget time.Duration) *exchange.Exchanger {
	t.Helper()
	sender := egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	x := exchange.New(exchange.Options{Sender: sender, Budget: budget})
	t.Cleanup(x.Close)
	t.Cleanup(sender.Close)
	return x
}

func end(t *testing.T, e *exchange.Exchange) exchange.Reply {
	t.Helper()
	<-e.Done()
	return e.Reply()
}

// Once the request has left, the end of whoever asked for it changes nothing.
func TestAReplyIsReadWhoeverStillWaits(t *testing.T) {
	service, x := newEndpoint(t), newExchanger(t, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	r := service.request()
	var told exchange.Reply
	r.Ended = func(reply exchange.Reply) { told = reply }
	e := x.Start(ctx, r)
	<-service.arrived
	cancel()
	select {
	case <-e.Done():
		t.Fatal("the exchange ended with its caller")
	default:
	}
	if x.Out() != 1 {
		t.Errorf("%d exchanges are out", x.Out())
	}
	close(service.answer)
	reply := end(t, e)
	if reply.Response == nil || !strings.Contains(string(reply.Response.Body), "next") || told.Response != reply.Response {
		t.Errorf("the reply is %+v, Ended was told %+v", reply, told)
	}
	if !x.Wait(t.Context()) || x.Out() != 0 {
		t.Error("something is still out")
	}
}

func TestARequestThatSpendsNothingEndsWithItsCaller(t *testing.T) {
	service, x := newEndpoint(t), newExchanger(t, time.Minute)
	defer close(service.answer)
	ctx, cancel := context.WithCancel(t.Context())
	r := service.request()
	r.Spends = false
	e := x.Start(ctx, r)
	<-service.arrived
	cancel()
	if reply := end(t, e); reply.Failure == nil || !reply.Failure.Written || reply.Closed {
		t.Errorf("it ended with %+v", reply)
	}
}

func TestAReplyThatNeverComesIsGivenUp(t *testing.T) {
	service, x := newEndpoint(t), newExchanger(t, 50*time.Millisecond)
	defer close(service.answer)
	reply := end(t, x.Start(t.Context(), service.request()))
	if reply.Failure == nil || !reply.Failure.Written || reply.Closed || !strings.Contains(reply.Failure.Message, "50ms") {
		t.Errorf("it ended with %+v, %v", reply, reply.Failure)
	}
}

func TestAProviderMayDeclareALongerTime(t *testing.T) {
	service, x := newEndpoint(t), newExchanger(t, 10*time.Millisecond)
	r := service.request()
	r.Declared = time.Minute
	e := x.Start(t.Context(), r)
	<-service.arrived
	waittest.Past(t, time.Now().Add(100*time.Millisecond)) // well beyond the hub's own bound
	close(service.answer)
	if reply := end(t, e); reply.Response == nil {
		t.Errorf("it ended with %+v, %v", reply, reply.Failure)
	}
}

// A peer that closes the connection may still be working on the request.
func TestAClosedConnectionIsTold(t *testing.T) {
	service, x := newEndpoint(t), newExchanger(t, time.Minute)
	service.cut.Store(true)
	e := x.Start(t.Context(), service.request())
	<-service.arrived
	close(service.answer)
	if reply := end(t, e); reply.Failure == nil || !reply.Failure.Written || !reply.Closed {
		t.Errorf("it ended with %+v", reply)
	}
}

func TestAFenceKeepsARequestBack(t *testing.T) {
	service, x := newEndpoint(t), newExchanger(t, time.Minute)
	defer close(service.answer)
	taken := errors.New("taken over")
	r := service.request()
	r.Fence = func(context.Context) error { return taken }
	if reply := end(t, x.Start(t.Context(), r)); !errors.Is(reply.Err, taken) {
		t.Errorf("it ended with %+v", reply)
	}
	if len(service.arrived) > 0 {
		t.Error("the service was asked")
	}
}

func TestAClosedExchangerSendsNothing(t *testing.T) {
	service, x := newEndpoint(t), newExchanger(t, time.Minute)
	defer close(service.answer)
	e := x.Start(t.Context(), service.request())
	<-service.arrived
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if x.Wait(ctx) {
		t.Error("Wait does not see what is out")
	}
	x.Close()
	if reply := end(t, e); reply.Failure == nil || !reply.Failure.Written {
		t.Errorf("what was out ended with %+v", reply)
	}
	if reply := end(t, x.Start(t.Context(), service.request())); !errors.Is(reply.Err, exchange.ErrStopped) {
		t.Errorf("after the end a request ends with %+v", reply)
	}
}
