package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // to arm a cell of the matrix
	_ "modernc.org/sqlite"             // the same

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// cell is one crash.
type cell struct {
	who  victim
	kind provider.RotationKind
	step string
}

// connection is the cell's own, for a grant cannot be lost twice.
func (c cell) connection() string {
	return slug(fmt.Sprintf("%s-%s-%s", c.who.id, c.kind, c.step))
}

// matrix runs the cells.
type matrix struct {
	*stage
	authority *authority.Server
	postgres  *postgres
	dir, key  string
	client    client // at the SQLite cells; PostgreSQL cells have keys of their own
	clientPG  client
}

// cellLife is the life of the access tokens that the cells begin with: long enough not
// to be renewed while they are prepared.
const cellLife = 20 * time.Second

// crashMatrix kills at every step, for each kind and victim.
func crashMatrix(ctx context.Context, st *stage) (tally, error) {
	var t tally
	kinds := sized(st, authority.Kinds, []provider.RotationKind{provider.RotationRotates})
	m := &matrix{stage: st, dir: filepath.Join(st.dir, "crash")}
	var err error
	if m.authority, err = authority.Start(authority.Config{AccessLife: time.Hour, Grace: 30 * time.Second}); err != nil {
		return t, err
	}
	defer m.authority.Close()
	if m.postgres, err = st.startPostgres(ctx, "crash-postgres"); err != nil {
		return t, err
	}
	defer func() { _ = m.postgres.stop(context.WithoutCancel(ctx)) }()
	m.authority.SetAccessLife(cellLife)
	if err := m.prepareCells(ctx, kinds); err != nil {
		return t, err
	}
	m.authority.SetAccessLife(time.Hour)
	if err := wait(ctx, cellLife); err != nil { // nobody may wait for the end of the access token
		return t, err
	}
	results := m.runAll(ctx, cellsOf(kinds))
	for _, r := range results {
		t.add(r.tally)
	}
	judged := m.authority.Judge()
	t.renewals = judged.Renewals
	if more := judged.DoubleSpent - t.declared - t.doubleSpent; more > 0 { // in a cell that broke
		t.doubleSpent, t.lost = t.doubleSpent+more, t.lost+more
	}
	printMatrix(st, results, kinds)
	if st.reliability != "" && len(t.problems) == 0 && !st.short {
		return t, writeMatrix(st.reliability, results, kinds)
	}
	return t, nil
}

func cellsOf(kinds []provider.RotationKind) []cell {
	var cells []cell
	for _, who := range victims {
		for _, kind := range kinds {
			for _, step := range crashpoint.Steps {
				if who.id == "pluginless" && step != crashpoint.Journaled && step != crashpoint.Parsed {
					continue // nothing is left that a plugin has to read
				}
				if step == crashpoint.Copied && who.id != "takeover" {
					continue // the copy is for others
				}
				cells = append(cells, cell{who, kind, step})
			}
		}
	}
	return cells
}

// prepareCells makes one data folder and one database with a grant for each
// cell; every cell then works on a copy.
func (m *matrix) prepareCells(ctx context.Context, kinds []provider.RotationKind) error {
	m.key = filepath.Join(m.dir, "sqlite", "chaos.key")
	if err := m.postgres.create(ctx, "base", ""); err != nil {
		return err
	}
	services := map[bool][]wanted{}
	for _, kind := range kinds {
		names := map[bool][]string{}
		for _, c := range cellsOf([]provider.RotationKind{kind}) {
			names[c.who.postgres] = append(names[c.who.postgres], c.connection())
		}
		for onPostgres, connections := range names {
			services[onPostgres] = append(services[onPostgres], chaosService(m.authority.URL, kind, connections...))
		}
	}
	var err error
	if m.client, err = m.prepare(ctx, filepath.Join(m.dir, "sqlite"), "", m.key, services[false]...); err != nil {
		return err
	}
	m.clientPG, err = m.prepare(ctx, filepath.Join(m.dir, "postgres"), m.postgres.url("base"), filepath.Join(m.dir, "postgres", "chaos.key"), services[true]...)
	return err
}

// runAll runs the cells, some at a time.
func (m *matrix) runAll(ctx context.Context, cells []cell) []result {
	results := make([]result, len(cells))
	next := make(chan int)
	var work sync.WaitGroup
	for range 6 {
		work.Go(func() {
			for i := range next {
				results[i] = m.runCell(ctx, cells[i])
			}
		})
	}
	for i := range cells {
		next <- i
	}
	close(next)
	work.Wait()
	return results
}

// room is where a cell happens.
type room struct {
	cell
	m        *matrix
	client   client
	database string // "" is SQLite in dirs[0]
	key      string
	dirs     []string // one for each replica
}

// furnish copies what was prepared and makes the cell's connection due at once
// and all others never.
func (m *matrix) furnish(ctx context.Context, c cell) (*room, error) {
	r := &room{cell: c, m: m, client: m.client, key: m.key}
	base := filepath.Join(m.dir, "cells", c.connection())
	for _, replica := range []string{"a", "b"} {
		r.dirs = append(r.dirs, filepath.Join(base, replica))
		if err := os.MkdirAll(r.dirs[len(r.dirs)-1], 0o700); err != nil {
			return nil, err
		}
	}
	const arm = `UPDATE connections SET due_at = CASE WHEN name = '%s' THEN 1 ELSE 0 END`
	statement := fmt.Sprintf(arm, c.connection()) // a name of ours, without quotes
	if !c.who.postgres {
		if err := os.CopyFS(r.dirs[0], os.DirFS(filepath.Join(m.dir, "sqlite"))); err != nil {
			return nil, err
		}
		return r, execIn(ctx, "sqlite", filepath.Join(r.dirs[0], "evergrant.db"), statement)
	}
	name := "cell_" + strings.ReplaceAll(c.connection(), "-", "_")
	r.client, r.key, r.database = m.clientPG, filepath.Join(m.dir, "postgres", "chaos.key"), m.postgres.url(name)
	if err := m.postgres.create(ctx, name, "base"); err != nil {
		return nil, err
	}
	return r, execIn(ctx, "pgx", r.database, statement)
}

func execIn(ctx context.Context, driver, address, statement string) error {
	db, err := sql.Open(driver, address)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	if closed := db.Close(); err == nil {
		err = closed
	}
	return err
}

// start starts replica n of a cell; crash is what it is armed with.
func (r *room) start(ctx context.Context, n int, crash string, more ...string) (*hubProcess, error) {
	binary := r.m.hub()
	if crash != "" {
		binary = filepath.Join(r.m.bin, "evergrant-crash")
	}
	env := append([]string{
		"EVERGRANT_TEST_CRASH=" + crash, "EVERGRANT_DATA_MOVES=true", // each cell has a copy of one folder
	}, append(cellTimes(r.m.stage).env(), more...)...)
	return r.m.startHub(ctx, hubConfig{
		name: fmt.Sprintf("crash-%s-%d", r.connection(), n), binary: binary, dataDir: r.dirs[n], database: r.database,
		keyFile: r.key, plugins: r.m.plugins(), env: env,
	})
}

// unsafe reports whether the service takes a second use of a refresh token for
// theft.
func (c cell) unsafe() bool {
	return slices.Contains([]provider.RotationKind{provider.RotationRotates, provider.RotationRotatesRevokesAccess}, c.kind)
}
