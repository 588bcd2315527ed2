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

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
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
	at        atomic.Pointer[[]string] // the hubs that are pulled from, in turn
	turn      atomic.Uint64
	hubs      []*hubProcess
	// roster names the hubs in the authorization server's log: hub-<n>.
	roster    roster
	chronicle chronicle
	// connections by the kind of their rotation.
	connections map[provider.RotationKind][]string
	// known are the renewals that came before the scene's own.
	known int
	// declared are the kinds of which a scene takes the answer away for good.
	declared map[provider.RotationKind]bool
	// damaged bounds the grants whose own reply a scene destroys on the disk.
	damaged int
	// doomed are connections whose newest token set the scene takes away for good.
	doomed map[string]bool
	// after ends what a scene has started beside hubs.
	after []func()
	// remark is what the table says beside the numbers.
	remark   string
	problems []string
}

// openVenue makes the connections of a scene.
func (st *stage) openVenue(ctx context.Context, s scene, on *postgres) (*venue, error) {
	v := &venue{stage: st, scene: s, postgres: on, name: s.name + " sqlite", connections: map[provider.RotationKind][]string{}, declared: map[provider.RotationKind]bool{}, doomed: map[string]bool{}}
	if on != nil {
		v.name = s.name + " postgres"
		database := databaseName(s)
		if err := on.create(ctx, database, ""); err != nil {
			return nil, err
		}
		v.database = on.url(database)
	}
	var err error
	if v.authority, err = authority.Start(authority.Config{AccessLife: time.Hour, Grace: 30 * time.Second, Client: v.roster.who}); err != nil {
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

// databaseName is the name of a scene's database.
func databaseName(s scene) string { return strings.ReplaceAll(s.name, "-", "_") }

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

// url is the hub that is asked next; nothing listens at port 1 before there is one.
func (v *venue) url() string {
	if at := v.at.Load(); at != nil {
		return (*at)[v.turn.Add(1)%uint64(len(*at))]
	}
	return "http://127.0.0.1:1"
}

// ask has the callers pull from these hubs from now on.
func (v *venue) ask(hubs ...*hubProcess) {
	var at []string
	for _, h := range hubs {
		at = append(at, h.url)
	}
	v.at.Store(&at)
}

// launch starts replica n, armed with crash unless that is empty. The hub that was
// launched last is the one that is asked.
func (v *venue) launch(ctx context.Context, n int, crash string) (*hubProcess, error) {
	c := hubConfig{
		name: fmt.Sprintf("%s-%d", slugged("world "+v.name), n), binary: v.hub(), dataDir: v.dataDir(n), database: v.database,
		keyFile: v.key, plugins: v.plugins(), env: v.scene.times(v.stage).env(),
	}
	if v.scene.steps {
		c.binary, c.env = v.clockHub, append(c.env, stepsEnv+"="+v.clockFile(n))
	}
	if crash != "" {
		c.binary, c.env = filepath.Join(v.bin, "evergrant-crash"), append(c.env, "EVERGRANT_TEST_CRASH="+crash)
	}
	h, err := v.startHub(ctx, c)
	if err == nil {
		v.hubs = append(v.hubs, h)
		v.roster.join(h.cmd.Process.Pid, replicaName(n))
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
	v.ask(h)
	return nil
}

// renewAll asks a hub to renew every connection and does not wait: what comes of
// it is looked at by the scene's end.
func (v *venue) renewAll(ctx context.Context, h *hubProcess) {
	v.renew(ctx, h, v.all())
}

func (v *venue) renew(ctx context.Context, h *hubProcess, connections []string) {
	for _, name := range connections {
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

// recoveryTimeout is how long a connection may take to be well after the fault is over.
const recoveryTimeout = 40 * time.Second

// settle waits until every request has its answer and every connection its next
// token set, its end, or the end of recoveryTimeout.
func (v *venue) settle(ctx context.Context, h *hubProcess) error {
	for v.authority.Out() > 0 {
		if err := wait(ctx, pace); err != nil {
			return err
		}
	}
	bounded, cancel := context.WithTimeout(ctx, recoveryTimeout)
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
