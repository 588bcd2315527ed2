package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// site is a database with its hubs, and the authorization server of its grants.
type site struct {
	*stage

	name       string
	onPostgres bool
	seed       uint64
	long       time.Duration
	dice       *rand.Rand
	authority  *authority.Server
	chronicle  chronicle
	roster     roster
	postgres   *postgres
	database   string
	key        string
	client     client
	names      []string // of the connections
	slots      []*slot
	load       *load
	turn       atomic.Uint64
	stallUntil atomic.Int64 // in Unix nanoseconds
	away       sync.Mutex   // held while the database is

	mu       sync.Mutex
	family   map[string]string // by connection, the one that it has now
	holder   map[string]string // connection by family
	losses   []loss
	onDisk   map[string]string // killed hub by refresh token that its journal had
	failed   int               // hubs that ended before they served
	seen     map[string]bool   // families that were judged
	troubled []string          // problems
}

// slot is a place of a hub, which dies and is started again.
type slot struct {
	busy sync.Mutex // held by the trouble that it is in
	n    int
	hub  *hubProcess // guarded by busy
	name string      // as the log has this process
	runs int
	url  atomic.Pointer[string]
}

// randomConnections are how many of each kind a site has.
func randomConnections(st *stage) map[provider.RotationKind]int {
	return map[provider.RotationKind]int{
		provider.RotationRotates: sized(st, 100, 50), provider.RotationRotatesRevokesAccess: sized(st, 40, 20),
		provider.RotationRotatesWithGrace: sized(st, 40, 20), provider.RotationNone: sized(st, 20, 10),
	}
}

// newSite is one that is not open yet; database is postgres or sqlite.
func newSite(st *stage, database string, seed uint64, long time.Duration) *site {
	return &site{
		stage: st, name: "random-" + database, onPostgres: database == "postgres", seed: seed, long: long,
		dice: diceOf(seed, database, 0), family: map[string]string{}, holder: map[string]string{}, seen: map[string]bool{}, onDisk: map[string]string{},
	}
}

// open makes the grants and starts the hubs.
func (s *site) open(ctx context.Context) error {
	var err error
	if s.authority, err = authority.Start(authority.Config{AccessLife: 2 * time.Minute, Grace: 3 * time.Minute, Client: s.roster.who}); err != nil {
		return err
	}
	hubs := 1
	if s.onPostgres {
		hubs = 3
		if s.postgres, err = s.makePostgres(ctx, s.name, true); err != nil {
			return err
		}
		if err := s.postgres.create(ctx, "evergrant", ""); err != nil {
			return err
		}
		s.database = s.postgres.url("evergrant")
	}
	var services []wanted
	for _, kind := range authority.Kinds {
		list := names(s.name+"-"+slug(string(kind)), randomConnections(s.stage)[kind])
		s.names = append(s.names, list...)
		services = append(services, chaosService(s.authority.URL, kind, list...))
	}
	s.key = filepath.Join(s.dir, s.name+".key")
	if s.client, err = s.prepare(ctx, s.dataDir(0), s.database, s.key, services...); err != nil {
		return err
	}
	for n := range hubs {
		place := &slot{n: n}
		s.slots = append(s.slots, place)
		if err := s.start(ctx, place); err != nil {
			return err
		}
	}
	return s.learn(ctx)
}

// learn finds the family of every connection.
func (s *site) learn(ctx context.Context) error {
	for _, name := range s.names {
		p, err := s.client.pull(ctx, s.anyURL(), name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s.belongs(authority.FamilyOf(p.AccessToken), name)
	}
	return nil
}

func (s *site) belongs(family, connection string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.family[connection], s.holder[family] = family, connection
}

func (s *site) dataDir(n int) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s-hub-%d", s.name, n))
}

// start starts the hub of a slot and returns when it serves. A hub that ends
// before that is a problem, and started again.
func (s *site) start(ctx context.Context, p *slot) error {
	if err := os.MkdirAll(s.dataDir(p.n), 0o700); err != nil {
		return err
	}
	for {
		p.runs++
		p.name = fmt.Sprintf("hub-%d.%d", p.n+1, p.runs)
		h, err := s.startHub(ctx, hubConfig{
			name: fmt.Sprintf("%s-%d", s.name, p.n), binary: s.hub(), dataDir: s.dataDir(p.n), database: s.database,
			keyFile: s.key, plugins: s.plugins(), env: randomTimes().env(),
		})
		if err != nil {
			return err
		}
		p.hub = h
		s.roster.join(h.cmd.Process.Pid, p.name)
		bounded, cancel := context.WithTimeout(ctx, time.Minute)
		err = h.serves(bounded)
		cancel()
		if err == nil {
			p.url.Store(&h.url)
			return nil
		}
		s.mu.Lock()
		s.failed++
		if s.failed == 1 {
			s.troubled = append(s.troubled, fmt.Sprintf("%s: %s did not serve: %s", s.name, p.name, h.tail(1)))
		}
		s.mu.Unlock()
		s.roster.leave(h.cmd.Process.Pid)
		h.kill()
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

// anyURL is the address of the next hub, also of one that is away.
func (s *site) anyURL() string {
	at := s.slots[s.turn.Add(1)%uint64(len(s.slots))].url.Load()
	if at == nil {
		return "http://127.0.0.1:1"
	}
	return *at
}

// stalled is until when the token endpoint looks at nothing.
func (s *site) stalled() time.Time { return time.Unix(0, s.stallUntil.Load()) }

func (s *site) problem(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.troubled = append(s.troubled, s.name+": "+fmt.Sprintf(format, args...))
}

// close ends everything.
func (s *site) close() {
	for _, p := range s.slots {
		p.hub.kill()
	}
	if s.postgres != nil {
		_ = s.postgres.stop(context.Background())
	}
	if s.authority != nil {
		s.authority.Close()
	}
}

// diceOf are thrown the same way for the same request of a run with the same seed.
func diceOf(seed uint64, family string, nth int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(family))
	return rand.New(rand.NewPCG(seed, h.Sum64()+uint64(nth))) //nolint:gosec // G404: it has to be repeatable
}
