package simulation

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/clock"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/scheduler"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// replica is one hub's engine.
type replica struct {
	name string
	dir  string // of its journal
	w    *World

	// wallOff is how far its wall clock is off, in nanoseconds.
	wallOff atomic.Int64
	// remembered is what its folder says of clocks.
	remembered atomic.Pointer[clock.Remembered]

	mu   sync.Mutex
	life *life // nil while it is dead
}

// life is a replica between its start and its end.
type life struct {
	store     *store.Store
	journal   *journal.Journal
	newest    *newest.Keeper
	identity  *identity.Identity
	clock     *clock.Clock
	source    *tokensource.Source
	exchanger *exchange.Exchanger
	sender    *egress.Sender
	stop      context.CancelFunc
	scheduled sync.WaitGroup
	stopBeats context.CancelFunc
	beats     sync.WaitGroup
}

// start starts the replica as hub.Start does.
func (r *replica) start(ctx context.Context, box *seal.Box) error {
	log := r.w.log.Named(r.name)
	l := &life{}
	l.clock = clock.New(clock.Options{Logger: log, Elapsed: r.w.elapsed, Boot: "simulated", Remembered: r.remembered.Load(), Off: r.off, Move: func(ctx context.Context, by time.Duration) error {
		_, err := l.store.Replicas.MoveDates(ctx, by)
		return err
	}})
	var err error
	if l.store, err = store.Open(ctx, store.Options{DataDir: r.w.dir, Box: box, Logger: log, SharedSQLite: true, Now: r.w.databaseNow}); err != nil {
		return err
	}
	if l.newest, err = newest.Open(r.dir, box, log); err != nil {
		return err
	}
	if l.journal, err = journal.Open(filepath.Join(r.dir, "journal"), box, log); err != nil {
		return err
	}
	if l.identity, err = identity.Enter(ctx, identity.Options{Store: l.store, Journal: l.journal, Name: r.name, Logger: log, Beaten: r.beaten(l)}); err != nil {
		return err
	}
	l.sender = egress.New(egress.Options{Version: "simulation", Dial: r.w.network.dialer(r.name)})
	l.exchanger = exchange.New(exchange.Options{Sender: l.sender, Logger: log, Budget: r.w.o.Budget})
	limiter := endpoint.New(endpoint.Options{Replica: r.name})
	runner := operation.NewRunner(operation.Options{
		Plugins: &plugins{world: r.w, replica: r.name}, Exchanger: l.exchanger, Journal: l.journal, Limiter: limiter, Logger: log,
	})
	compared := l.newest
	if r.w.o.Defect == forgets {
		compared = nil
	}
	l.source = tokensource.New(tokensource.Options{
		Store: l.store, Runner: runner, Exchanger: l.exchanger, Journal: l.journal, Identity: l.identity, Clock: l.clock, Newest: compared, Limiter: limiter, Logger: log,
	})
	sched := scheduler.New(scheduler.Options{Store: l.store, Source: l.source, Limiter: limiter, Logger: log, Workers: 256, ShortestSleep: time.Second, LongestSleep: 5 * time.Second})
	if err := l.source.Recover(ctx); err != nil {
		return err
	}
	running, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.scheduled.Go(func() { sched.Run(running) })
	beating, stopBeats := context.WithCancel(context.Background())
	l.stopBeats = stopBeats
	l.beats.Go(func() { l.identity.Run(beating) })
	r.mu.Lock()
	r.life = l
	r.mu.Unlock()
	return nil
}

// alive is the replica's life; nil while it is dead.
func (r *replica) alive() *life {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.life
}

func (r *replica) take() *life {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.life
	r.life = nil
	return l
}

// crash ends the replica as SIGKILL does: nothing of it reaches the database, the
// journal or the network after this.
func (r *replica) crash() {
	l := r.take()
	if l == nil {
		return
	}
	r.w.history.died(r.name)
	_ = l.store.Close() // first, or what breaks below would be saved
	_ = l.journal.Close()
	_ = l.newest.Close()
	r.w.network.cut(r.name)
	l.end()
}

// end has the goroutines of a life that is over go away.
func (l *life) end() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	l.stop()
	closing := make(chan struct{})
	go func() {
		l.source.Close(over)
		close(closing)
	}()
	l.exchanger.Close()
	<-closing
	l.scheduled.Wait()
	l.stopBeats()
	l.beats.Wait()
	l.sender.Close()
}

// shut ends the replica as a graceful stop does: what is out is waited for.
func (r *replica) shut() {
	l := r.take()
	if l == nil {
		return
	}
	l.stop()
	l.source.Close(context.Background())
	l.scheduled.Wait()
	l.stopBeats()
	l.beats.Wait()
	l.source.Leave()
	_ = l.identity.Leave(context.Background())
	l.exchanger.Close()
	l.sender.Close()
	_ = l.journal.Close()
	_ = l.newest.Close()
	_ = l.store.Close()
}

// history is when replicas died, journals were damaged, folders were left for good, and the
// database was restored.
type history struct {
	mu       sync.Mutex
	deaths   map[string][]time.Time
	damages  map[string][]time.Time
	gone     map[string][]time.Time
	restores []time.Time
}

func newHistory() *history {
	return &history{deaths: map[string][]time.Time{}, damages: map[string][]time.Time{}, gone: map[string][]time.Time{}}
}

func (h *history) left(replica string) { h.note(h.gone, replica) }

func (h *history) restored() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.restores = append(h.restores, time.Now())
}

// restoredSince reports whether the database was restored after a time.
func (h *history) restoredSince(at time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.restores) > 0 && h.restores[len(h.restores)-1].After(at)
}

// unsaved reports whether what a replica had at a time went with its folder, and was needed
// after a restore.
func (h *history) unsaved(replica string, at, now time.Time) bool {
	return h.restoredSince(at) && h.noted(h.gone, replica, at, now)
}

func (h *history) died(replica string)   { h.note(h.deaths, replica) }
func (h *history) damage(replica string) { h.note(h.damages, replica) }

func (h *history) note(of map[string][]time.Time, replica string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	of[replica] = append(of[replica], time.Now())
}

func (h *history) alive(replica string, from, to time.Time) bool {
	return !h.noted(h.deaths, replica, from, to)
}

func (h *history) damaged(replica string, from, to time.Time) bool {
	return h.noted(h.damages, replica, from, to)
}

func (h *history) noted(of map[string][]time.Time, replica string, from, to time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, at := range of[replica] {
		if !at.Before(from) && !at.After(to) {
			return true
		}
	}
	return false
}

// quiet is a logger that keeps its lines for a world that fails.
func quiet(to *lines) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: to, DisableTime: true})
}
