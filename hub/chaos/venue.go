package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evergrant/evergrant/hub/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// venue is where a scene is played: an authorization server, connections, and one
// or two hubs on a database.
type venue struct {
	*stage

	name      string
	scene     scene
	authority *authority.Server
	client    client
	key       string
	database  string // "" is SQLite
	postgres  *postgres
	load      *load
	at        atomic.Pointer[string] // the hub that is pulled from
	hubs      []*hubProcess
	chronicle chronicle
	// connections by the kind of their rotation.
	connections map[provider.RotationKind][]string
	// known are the renewals that came before the scene's own.
	known int
	// declared are the kinds of which a scene takes the answer away for good.
	declared map[provider.RotationKind]bool
	// damaged bounds the grants whose own reply a scene destroys on the disk.
	damaged  int
	problems []string
}

// openVenue makes the connections of a scene.
func (st *stage) openVenue(ctx context.Context, s scene, on *postgres) (*venue, error) {
	v := &venue{stage: st, scene: s, postgres: on, name: s.name + " sqlite", connections: map[provider.RotationKind][]string{}, declared: map[provider.RotationKind]bool{}}
	if on != nil {
		v.name = s.name + " postgres"
		database := strings.ReplaceAll(s.name, "-", "_")
		if err := on.create(ctx, database, ""); err != nil {
			return nil, err
		}
		v.database = on.url(database)
	}
	var err error
	if v.authority, err = authority.Start(authority.Config{AccessLife: time.Hour, Grace: 30 * time.Second}); err != nil {
		return nil, err
	}
	var services []wanted
	for _, kind := range s.kinds {
		v.connections[kind] = names(s.name+"-"+slug(string(kind)), s.each)
		services = append(services, chaosService(v.authority.URL, kind, append(slices.Clone(v.connections[kind]), warm(kind))...))
	}
	v.key = filepath.Join(st.dir, slugged("world "+v.name)+".key")
	if v.client, err = st.prepare(ctx, v.dataDir(0), v.database, v.key, services...); err != nil {
		v.close()
		return nil, err
	}
	v.load = &load{client: v.client, connections: v.all(), hub: v.url, stale: staleFairly(v.authority, v.chronicle.calm), pause: 50 * time.Millisecond}
	return v, nil
}

// warm is a connection of a service from which a hub learns where its token
// endpoint is: before that it sends few requests at a time.
func warm(kind provider.RotationKind) string { return "warm-" + slug(string(kind)) }

func slugged(words string) string { return strings.ReplaceAll(words, " ", "-") }

func (v *venue) dataDir(n int) string {
	return filepath.Join(v.dir, slugged("world "+v.name), fmt.Sprint(n))
}

// all are the names of every connection.
func (v *venue) all() []string {
	var list []string
	for _, kind := range v.scene.kinds {
		list = append(list, v.connections[kind]...)
	}
	return list
}

// url is the hub that is asked; nothing listens at port 1 before there is one.
func (v *venue) url() string {
	if at := v.at.Load(); at != nil {
		return *at
	}
	return "http://127.0.0.1:1"
}

// launch starts replica n, armed with crash unless that is empty. The hub that was
// launched last is the one that is asked.
func (v *venue) launch(ctx context.Context, n int, crash string) (*hubProcess, error) {
	c := hubConfig{
		name: fmt.Sprintf("%s-%d", slugged("world "+v.name), n), binary: v.hub(), dataDir: v.dataDir(n), database: v.database,
		keyFile: v.key, plugins: v.plugins(), env: v.scene.times(v.stage).env(),
	}
	if crash != "" {
		c.binary, c.env = filepath.Join(v.bin, "evergrant-crash"), append(c.env, "EVERGRANT_TEST_CRASH="+crash)
	}
	h, err := v.startHub(ctx, c)
	if err == nil {
		v.hubs = append(v.hubs, h)
	}
	return h, err
}

// start is launch, and returns when the hub serves and, if it is not armed, knows
// the token endpoint.
func (v *venue) start(ctx context.Context, n int, crash string) (*hubProcess, error) {
	h, err := v.launch(ctx, n, crash)
	if err == nil {
		err = v.asked(ctx, h)
	}
	for _, kind := range v.scene.kinds {
		if err == nil && crash == "" {
			_, err = v.client.renew(ctx, h.url, warm(kind))
		}
	}
	v.known = v.authority.Arrived()
	return h, err
}

// unlearned is how many requests a hub sends at a time to an endpoint that it does
// not know yet: scenes with crash points have no more connections.
const unlearned = 8

// asked makes a hub the one that is asked once it serves.
func (v *venue) asked(ctx context.Context, h *hubProcess) error {
	if err := h.serves(ctx); err != nil {
		return err
	}
	v.at.Store(&h.url)
	return nil
}

// renewAll asks a hub to renew every connection and does not wait: what comes of
// it is looked at by the scene's end.
func (v *venue) renewAll(ctx context.Context, h *hubProcess) {
	for _, name := range v.all() {
		go func() { _, _ = v.client.renew(ctx, h.url, name) }()
	}
}

// arrived waits until so many renewals have come to the authorization server.
func (v *venue) arrived(ctx context.Context, n int) error {
	for v.authority.Arrived()-v.known < n {
		if err := wait(ctx, pace); err != nil {
			return fmt.Errorf("%d of %d requests have arrived: %w", v.authority.Arrived()-v.known, n, err)
		}
	}
	return nil
}

// patience is how long a connection may take to be well after the fault is over.
const patience = 40 * time.Second

// settle waits until every request has its answer and every connection its next
// token set, its end, or no more patience.
func (v *venue) settle(ctx context.Context, h *hubProcess) error {
	for v.authority.Out() > 0 {
		if err := wait(ctx, pace); err != nil {
			return err
		}
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var work sync.WaitGroup
	for _, name := range v.all() {
		work.Go(func() {
			_, _ = v.client.await(bounded, h.url, name, over)
		})
	}
	work.Wait()
	return ctx.Err()
}

func (v *venue) problem(format string, args ...any) {
	v.problems = append(v.problems, "world: "+v.name+": "+fmt.Sprintf(format, args...))
}
