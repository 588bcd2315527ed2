package operation_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// renewing asks its service for the next token set, within its own timeout.
type renewing struct {
	description provider.Description
	timeout     time.Duration
}

func (r renewing) Describe(context.Context) (*provider.Description, error) {
	return &r.description, nil
}

func (r renewing) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, req.Service.Option("server"), nil)
	if err != nil {
		return nil, err
	}
	resp, err := req.HTTP.Do(out)
	if err != nil {
		return nil, provider.Errorf(provider.Transient, "", "no answer")
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, provider.Errorf(provider.Transient, "", "status %d", resp.StatusCode)
	}
	var body struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return nil, err
	}
	return &provider.Token{AccessToken: body.AccessToken, RefreshToken: body.RefreshToken}, nil
}

// bench is a Runner with a service that answers when it is told to.
type bench struct {
	runner  *operation.Runner
	plugins *countedPlugins
	journal *journal.Journal
	service service.Service
	arrived chan struct{}
	answer  chan int // the status; 0 closes the connection
	asked   atomic.Int32
}

// countedPlugins runs operations in this process and counts those that run.
type countedPlugins struct {
	inProcess
	running atomic.Int32
	runs    atomic.Int32
	// dies makes the first run end as if the process had died, when it is closed.
	dies chan struct{}
}

// Run implements operation.Plugins.
func (p *countedPlugins) Run(ctx context.Context, _ string, do func(context.Context, *providerplugin.Client) error) error {
	p.running.Add(1)
	defer p.running.Add(-1)
	if p.runs.Add(1) > 1 || p.dies == nil {
		return do(ctx, p.client)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.dies:
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = do(ctx, p.client)
	return &providerplugin.PluginError{Gone: true, Message: "its process ended"}
}

func newBench(t *testing.T, timeout, slowAfter time.Duration) *bench {
	t.Helper()
	b := &bench{arrived: make(chan struct{}, 10), answer: make(chan int, 10)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b.asked.Add(1)
		b.arrived <- struct{}{}
		status := <-b.answer
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"access_token":"a2","refresh_token":"r2"}`))
	}))
	t.Cleanup(server.Close)
	d := provider.Description{
		Name: "renewing", Title: provider.Text{EN: "Renewing"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone, API: provider.API{In: "header"},
		Hosts:   []provider.Host{{Pattern: provider.OptionHost("server")}},
		Options: provider.Schema{Options: []provider.Option{{Name: "server", Format: "uri", Title: provider.Text{EN: "Server"}}}},
	}
	client, stop, err := providerplugin.InProcess(renewing{d, timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	box, err := seal.Create(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	if b.journal, err = journal.Open(t.TempDir(), box, hclog.NewNullLogger()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.journal.Close() })
	sender := egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	b.plugins = &countedPlugins{inProcess: inProcess{client}}
	b.runner = operation.NewRunner(operation.Options{
		Plugins: b.plugins, Exchanger: exchange.New(exchange.Options{Sender: sender}), Journal: b.journal,
		Limiter: endpoint.New(endpoint.Options{}), Logger: hclog.NewNullLogger(), SlowAfter: slowAfter,
	})
	b.service = service.Service{Provider: "renewing", Description: &d, Options: map[string]any{"server": server.URL}}
	return b
}

type result struct {
	token *provider.Token
	out   operation.Outcome
	err   error
}

func (b *bench) refresh(ctx context.Context, change func(*operation.Op)) <-chan result {
	op := &operation.Op{ID: "op", Now: time.Now(), Journaled: true, Service: b.service}
	if change != nil {
		change(op)
	}
	ended := make(chan result, 1)
	go func() {
		token, out, err := b.runner.Obtain(ctx, op, operation.Obtaining{Current: provider.Token{RefreshToken: "r1"}})
		ended <- result{token, out, err}
	}()
	return ended
}

// wantToken checks that the one request brought the next token set.
func (b *bench) wantToken(t *testing.T, r result) {
	t.Helper()
	if r.err != nil || r.token == nil || r.token.RefreshToken != "r2" {
		t.Errorf("the operation ended with %v, %v", r.token, r.err)
	}
	if n := b.asked.Load(); n != 1 {
		t.Errorf("the service was asked %d times", n)
	}
}

// An author may set a time-out of their own. What the service granted after it is not
// thrown away: the operation is run again on the reply.
func TestAPluginThatGaveUpGetsTheReplyAfterAll(t *testing.T) {
	b := newBench(t, 30*time.Millisecond, time.Minute)
	ended := b.refresh(t.Context(), nil)
	<-b.arrived
	for b.plugins.running.Load() == 0 {
		runtime.Gosched()
	}
	waittest.Past(t, time.Now().Add(100*time.Millisecond)) // the plugin has timed out
	b.answer <- http.StatusOK
	b.wantToken(t, <-ended)
}

// A service that takes long does not occupy its plugin, which others need.
func TestASlowServiceDoesNotOccupyThePlugin(t *testing.T) {
	b := newBench(t, time.Minute, 30*time.Millisecond)
	slow := make(chan struct{})
	ended := b.refresh(t.Context(), func(op *operation.Op) { op.Slow = func() { close(slow) } })
	<-b.arrived
	<-slow // a second call would panic
	for b.plugins.running.Load() > 0 {
		runtime.Gosched()
	}
	b.answer <- http.StatusOK
	b.wantToken(t, <-ended)
	if n := b.plugins.runs.Load(); n != 2 {
		t.Errorf("the operation was run %d times", n)
	}
}

// The plugin dies while the request is out: the reply is read all the same, and the
// next process is given it.
func TestAPluginThatDiesWhileTheRequestIsOutLosesNothing(t *testing.T) {
	b := newBench(t, time.Minute, time.Minute)
	b.plugins.dies = make(chan struct{})
	ended := b.refresh(t.Context(), nil)
	<-b.arrived
	close(b.plugins.dies)
	for b.plugins.running.Load() > 0 {
		runtime.Gosched()
	}
	b.answer <- http.StatusOK
	b.wantToken(t, <-ended)
}

func TestWhatIsKnownOfARequestWithoutAReply(t *testing.T) {
	for name, tt := range map[string]struct {
		status   int
		answered bool
		onTheWay bool
		working  bool // the service may still be
	}{
		"a closed connection": {0, false, false, true},
		"504 of a gateway":    {http.StatusGatewayTimeout, true, true, true},
		"502 of a gateway":    {http.StatusBadGateway, true, true, true},
		"524 of a network":    {524, true, true, true},
		"503":                 {http.StatusServiceUnavailable, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, time.Minute, time.Minute)
			b.answer <- tt.status
			begun := time.Now()
			r := <-b.refresh(t.Context(), nil)
			if r.err == nil || !r.out.Sent || r.out.Answered != tt.answered || r.out.LostOnTheWay != tt.onTheWay {
				t.Errorf("sent %t, answered %t, lost on the way %t, %v", r.out.Sent, r.out.Answered, r.out.LostOnTheWay, r.err)
			}
			if working := r.out.AnswerableUntil.After(begun.Add(20 * time.Second)); working != tt.working {
				t.Errorf("the service may be working on it until %s", r.out.AnswerableUntil)
			}
		})
	}
}

func TestARefusalOfTheFenceIsTheOperations(t *testing.T) {
	b := newBench(t, time.Minute, time.Minute)
	taken := errors.New("taken over")
	r := <-b.refresh(t.Context(), func(op *operation.Op) { op.Fence = func(context.Context) error { return taken } })
	if !errors.Is(r.err, taken) || r.out.Sent || b.asked.Load() != 0 {
		t.Errorf("sent %t, asked %d times, %v", r.out.Sent, b.asked.Load(), r.err)
	}
}

func TestADurableReplyIsToldOf(t *testing.T) {
	b := newBench(t, time.Minute, time.Minute)
	b.answer <- http.StatusOK
	told := make(chan map[int][]byte, 1)
	r := <-b.refresh(t.Context(), func(op *operation.Op) {
		op.Received = func(replies map[int][]byte) {
			if kept, ok := b.journal.Operation("op"); !ok || len(kept.Replies) != 1 {
				t.Error("told of a reply that is not in the journal")
			}
			told <- replies
		}
	})
	b.wantToken(t, r)
	if replies := <-told; len(replies) != 1 {
		t.Errorf("told of %d replies", len(replies))
	}
}
