package simulation

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Options of a World.
type Options struct {
	Seed uint64
	// Dir is a folder of its own, best in memory.
	Dir string
	Box *seal.Box
	// For is how long it lasts, in the bubble's time.
	For time.Duration
	// Connections is how many grants there are, and Life how long an access token lives.
	Connections int
	Life        time.Duration
	// Budget is how long replicas read for a reply; zero is what a hub does.
	Budget time.Duration
	// Defect is planted into every replica; "" is none.
	Defect Defect
}

// World is a run of the simulation. It lives in a synctest bubble.
type World struct {
	o         Options
	fate      Fate
	dir       string
	network   *network
	authority *Authority
	history   *history
	client    *providerplugin.Client
	replicas  []*replica
	log       hclog.Logger
	lines     *lines
	names     []string
	begun     time.Time
	// calm is acquired in parts by tasks that stop and start replicas, and as a whole by the
	// one that stops all of them.
	calm chan struct{}
	// databaseOff is how far the database's clock is off, in nanoseconds.
	databaseOff atomic.Int64

	mu     sync.Mutex
	pulls  Pulls
	cloned int
	steps  int
	// unheld are the grants that live at the authority and of which the hub has no token.
	unheld []string
	// lineages are those of the grants that accounts have now.
	lineages map[string]string
}

// Pulls is what processes met.
type Pulls struct {
	Served, Refused int
	// Stale are tokens that the authority did not take, with what is known of each.
	Stale []string
}

// lines keeps the newest lines of logs.
type lines struct {
	mu  sync.Mutex
	all [][]byte
}

const keptLines = 400

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, append([]byte(stamp(time.Now())+" "), p...))
	if len(l.all) > keptLines {
		l.all = l.all[len(l.all)-keptLines:]
	}
	return len(p), nil
}

// about returns the kept lines that name something.
func (l *lines) about(what string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, line := range l.all {
		if bytes.Contains(line, []byte(what)) {
			b.WriteString("    " + string(line))
		}
	}
	return b.String()
}

// Run runs a world to its end and returns what came of it.
func Run(ctx context.Context, o Options) (*Report, error) {
	w := &World{
		o: o, fate: Fate{o.Seed}, dir: o.Dir, network: newNetwork(), lines: &lines{},
		history: newHistory(), lineages: map[string]string{}, begun: time.Now(),
	}
	w.log, w.calm = quiet(w.lines), make(chan struct{}, tormentors)
	w.authority = newAuthority(w.fate, o.Life, w.history)
	w.authority.about = w.lines.about
	server := &http.Server{Handler: w.authority, ErrorLog: nil} //nolint:gosec // G112: its clients are ours
	serving := make(chan struct{})
	go func() {
		_ = server.Serve(w.network)
		close(serving)
	}()
	client, stop, err := providerplugin.InProcess(simulated{w.fate})
	if err != nil {
		return nil, err
	}
	w.client = client
	for n := range 4 { // the last one is a copy of one of the others, made later
		name := fmt.Sprintf("hub-%d", n+1)
		w.replicas = append(w.replicas, &replica{name: name, dir: filepath.Join(o.Dir, name), w: w})
	}
	err = w.live(ctx)
	for _, r := range w.replicas {
		r.shut()
	}
	_ = server.Close()
	<-serving
	w.authority.serving.Wait()
	stop()
	if err != nil {
		return nil, err
	}
	return w.report(), nil
}

// live adds the grants and has things happen until the time is over.
func (w *World) live(ctx context.Context) error {
	originals, clone := w.replicas[:len(w.replicas)-1], w.replicas[len(w.replicas)-1]
	for _, r := range originals {
		if err := r.start(ctx, w.o.Box); err != nil {
			return err
		}
	}
	if err := w.populate(ctx); err != nil {
		return err
	}
	end := time.Now().Add(w.o.For)
	var all sync.WaitGroup
	errs := make(chan error, len(w.replicas)+1)
	for _, r := range originals {
		all.Go(func() { errs <- w.torment(ctx, r, end) })
	}
	all.Go(func() { errs <- w.clones(ctx, clone, end) })
	all.Go(func() { errs <- w.restore(ctx, end) })
	all.Go(func() { w.stepClocks(end) })
	all.Go(func() { w.pull(ctx, end) })
	all.Wait()
	for range cap(errs) {
		if err := <-errs; err != nil {
			return err
		}
	}
	return w.settle(ctx)
}

// populate adds a service and its connections.
func (w *World) populate(ctx context.Context) error {
	db := w.replicas[0].alive().store
	now := time.Now()
	d := description
	svc := service.Service{ID: store.NewID(), Name: "simulated", Title: "Simulated", Provider: d.Name, Description: &d, CreatedAt: now, UpdatedAt: now}
	if err := db.Services.CreateService(ctx, svc); err != nil {
		return err
	}
	for n := range w.o.Connections {
		name := fmt.Sprintf("grant-%03d", n)
		access, refresh := w.authority.Grant(name)
		token := provider.Token{AccessToken: access, RefreshToken: refresh, ExpiresIn: new(w.o.Life)}
		// Grants are as old as chance has it, so that not all are due together.
		asked := now.Add(-w.fate.between(0, w.o.Life*2/3, "age", name))
		c := connection.New(now, store.NewID(), name, name, svc.ID, connection.PolicyOf(&d, provider.GrantAuthorizationCode)).Granted(now, asked, token, provider.Account{}, nil)
		if err := db.Grants.CreateConnection(ctx, c); err != nil {
			return err
		}
		w.names = append(w.names, name)
		w.grantedAs(c)
	}
	return nil
}

// torment crashes and stops a replica, and damages its journal, until the end.
func (w *World) torment(ctx context.Context, r *replica, end time.Time) error {
	for n := 0; ; n++ {
		nth := fmt.Sprint(n)
		<-time.After(w.fate.between(20*time.Second, 6*time.Minute, "lives", r.name, nth))
		if !time.Now().Before(end) {
			return nil
		}
		w.calm <- struct{}{}
		if w.fate.happens(0.25, "stops", r.name, nth) {
			r.shut()
		} else {
			r.crash()
			if w.fate.happens(0.2, "damage", r.name, nth) {
				if err := w.flip(r, nth); err != nil {
					return err
				}
			}
		}
		<-time.After(w.fate.between(0, 90*time.Second, "is dead", r.name, nth))
		err := r.start(ctx, w.o.Box)
		<-w.calm
		if err != nil {
			return fmt.Errorf("%s does not start again: %w", r.name, err)
		}
	}
}

// flip changes a bit in the newest segment of a journal.
func (w *World) flip(r *replica, nth string) error {
	paths, err := filepath.Glob(filepath.Join(r.dir, "journal", "replies-*.journal"))
	if err != nil || len(paths) == 0 {
		return err
	}
	path := paths[len(paths)-1]
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return err
	}
	at := int(w.fate.roll("where", r.name, nth) * float64(len(data)))
	data[at] ^= 1 << (at % 8)
	w.history.damage(r.name)
	return os.WriteFile(path, data, 0o600) //nolint:gosec // G703: a folder of the simulation
}
