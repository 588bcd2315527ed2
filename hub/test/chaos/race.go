package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// callers of the race.
const callers = 64

// race lets three hubs on one database renew connections with short lives while
// processes pull them.
func race(ctx context.Context, st *stage) (tally, error) {
	var t tally
	connections := names("race", sized(st, 500, 150))
	long, most := sized(st, time.Minute, 6*time.Second), int64(sized(st, 100_000, 5_000))
	a, err := authority.Start(authority.Config{AccessLife: time.Minute, Grace: time.Minute})
	if err != nil {
		return t, err
	}
	defer a.Close()
	a.SetAccessLife(8 * time.Second)
	f, err := st.startFleet(ctx, "race", 3, nil, chaosService(a.URL, provider.RotationRotates, connections...))
	if err != nil {
		return t, err
	}
	defer f.stop()
	l := &load{client: f.client, connections: connections, hub: roundRobin(f.hubs), stale: staleAt(a)}
	begin := time.Now()
	l.run(ctx, callers, func() bool { return time.Since(begin) >= long && l.pulls.Load() >= most })
	l.report(st, &t, "race", time.Since(begin))
	renewed := a.Judge().Renewals
	st.say("   race: %d renewals of %d connections by 3 hubs meanwhile, %.0f/s", renewed, len(connections), float64(renewed)/time.Since(begin).Seconds())
	t.judge(ctx, a, f.client, l.hub, connections, "race")
	return t, nil
}

// fleet are hubs on one PostgreSQL.
type fleet struct {
	st       *stage
	name     string
	postgres *postgres
	database string // of the hubs
	keyFile  string
	client   client
	hubs     []*hubProcess
	env      []string
}

// startFleet starts PostgreSQL, makes grants, and starts so many hubs. address
// replaces the database's address for the hubs; nil keeps it.
func (st *stage) startFleet(ctx context.Context, name string, hubs int, address func(*postgres) string, services ...wanted) (*fleet, error) {
	return st.startFleetAt(ctx, name, "127.0.0.1:0", hubs, address, services...)
}

// startFleetAt is startFleet with the address that the hub listens on which makes
// the grants: it is part of the redirect URI.
func (st *stage) startFleetAt(ctx context.Context, name, listen string, hubs int, address func(*postgres) string, services ...wanted) (*fleet, error) {
	f := &fleet{st: st, name: name, keyFile: filepath.Join(st.dir, name+".key")}
	if err := f.launch(ctx, listen, hubs, address, services); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

func (f *fleet) launch(ctx context.Context, listen string, hubs int, address func(*postgres) string, services []wanted) error {
	st, name := f.st, f.name
	var err error
	if f.postgres, err = st.startPostgres(ctx, name+"-postgres"); err != nil {
		return err
	}
	if err := f.postgres.create(ctx, "evergrant", ""); err != nil {
		return err
	}
	f.database = f.postgres.url("evergrant")
	begin := time.Now()
	if f.client, err = st.prepareAt(ctx, listen, filepath.Join(st.dir, name), f.database, f.keyFile, services...); err != nil {
		return err
	}
	st.say("   %s: grants made in %s", name, time.Since(begin).Round(100*time.Millisecond))
	if address != nil {
		f.database = address(f.postgres)
	}
	for n := range hubs {
		h, err := f.start(ctx, n)
		if err != nil {
			return err
		}
		f.hubs = append(f.hubs, h)
	}
	for _, h := range f.hubs {
		if err := h.serves(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) dataDir(n int) string {
	return filepath.Join(f.st.dir, fmt.Sprintf("%s-hub-%d", f.name, n))
}

func (f *fleet) start(ctx context.Context, n int) (*hubProcess, error) {
	dir := f.dataDir(n)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return f.st.startHub(ctx, hubConfig{
		name: fmt.Sprintf("%s-%d", f.name, n), binary: f.st.hub(), dataDir: dir, database: f.database, keyFile: f.keyFile,
		plugins: f.st.plugins(), env: append(fleetTimes(f.st, f.name).env(), f.env...),
	})
}

// leasesOf counts the leases that a hub holds which has ended.
func (f *fleet) leasesOf(ctx context.Context, n int) (held int, err error) {
	replica, err := os.ReadFile(filepath.Join(f.dataDir(n), "journal", "replica"))
	if err != nil {
		return 0, err
	}
	conn, err := pgx.Connect(ctx, f.postgres.url("evergrant"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = conn.QueryRow(ctx, "SELECT count(*) FROM connections WHERE lease_owner LIKE $1 || '/%'", strings.TrimSpace(string(replica))).Scan(&held)
	return held, err
}

// stop ends hubs and server.
func (f *fleet) stop() {
	for _, h := range f.hubs {
		h.stop()
	}
	if f.postgres != nil {
		_ = f.postgres.stop(context.Background())
	}
}
