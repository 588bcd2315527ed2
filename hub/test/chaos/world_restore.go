package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Lives of tokens while a backup grows old: everything in it is due when it is restored.
const (
	shortLife = 4 * time.Second
	longLife  = 8 * time.Second
)

// behind is how old a backup is when it is restored.
func behind(st *stage) time.Duration { return sized(st, 15*time.Second, 6*time.Second) }

// database is a backup in one of its ways.
type database struct {
	save, restore func(context.Context) error
}

// sqliteFile is a copy of the SQLite file of replica 0, made and put back while no hub runs.
func (v *venue) sqliteFile() database {
	file := filepath.Join(v.dataDir(0), "evergrant.db")
	backup := filepath.Join(v.dir, slugged("world "+v.name)+".backup")
	return database{
		save: func(context.Context) error { return copyFile(file, backup) },
		restore: func(context.Context) error {
			for _, more := range []string{"-wal", "-shm"} {
				_ = os.Remove(file + more)
			}
			return copyFile(backup, file)
		},
	}
}

// dump is pg_dump, with hubs that may run, and pg_restore into an empty database.
func (v *venue) dump() database {
	name := databaseName(v.scene)
	backup := filepath.Join(v.postgres.home, name+".dump")
	address := v.postgres.url(name)
	return database{
		save: func(ctx context.Context) error {
			return v.postgres.command(ctx, "pg_dump", "--format=custom", "--file="+backup, address)
		},
		restore: func(ctx context.Context) error {
			if err := v.postgres.drop(ctx, name); err != nil {
				return err
			}
			if err := v.postgres.create(ctx, name, ""); err != nil {
				return err
			}
			return v.postgres.command(ctx, "pg_restore", "--dbname="+address, backup)
		},
	}
}

func (v *venue) backup() database {
	if v.postgres == nil {
		return v.sqliteFile()
	}
	return v.dump()
}

// drop removes a database with whatever is connected to it.
func (p *postgres) drop(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
	return err
}

// agedBackup runs replica 0 with tokens that live short, has a backup made, and goes on for
// a while. The hub has stopped when it returns; reached is how far the grants had got.
func (v *venue) agedBackup(ctx context.Context) (backup database, reached map[string]int64, err error) {
	backup = v.backup()
	h, err := v.start(ctx, 0, "")
	if err != nil {
		return backup, nil, err
	}
	if _, err := v.busy(ctx, h, shortLife, longLife); err != nil {
		return backup, nil, err
	}
	h.stop()
	if err := backup.save(ctx); err != nil {
		return backup, nil, err
	}
	if h, err = v.start(ctx, 0, ""); err != nil {
		return backup, nil, err
	}
	if err := wait(ctx, behind(v.stage)); err != nil {
		return backup, nil, err
	}
	if err := v.calm(ctx, h); err != nil {
		return backup, nil, err
	}
	reached, err = v.generations(ctx, h, v.all())
	h.stop()
	return backup, reached, err
}

// restore puts a backup back whose age the folder knows: the hub was killed with replies
// in its journal, and has the newest token set of every grant beside it.
func restore(ctx context.Context, v *venue) error {
	backup, reached, err := v.agedBackup(ctx)
	if err != nil {
		return err
	}
	mine := v.all()[:unlearned]
	h, err := v.armed(ctx, 0, mine)
	if err != nil {
		return err
	}
	v.renew(ctx, h, mine)
	if err := h.killed(ctx); err != nil {
		return err
	}
	if err := backup.restore(ctx); err != nil {
		return err
	}
	for _, name := range mine {
		reached[name]++
	}
	if h, err = v.start(ctx, 0, ""); err != nil {
		return err
	}
	if h.says("database is older than the data folder") == 0 {
		v.problem("the hub does not say that its database went back")
	}
	return v.caughtUp(ctx, h, reached)
}

// caughtUp waits until connections are where they were before the restore, and says how
// many are.
func (v *venue) caughtUp(ctx context.Context, h *hubProcess, reached map[string]int64) error {
	before := maps.Clone(reached)
	maps.DeleteFunc(before, func(name string, _ int64) bool { return v.doomed[name] })
	for name := range before {
		before[name]--
	}
	if err := v.passed(ctx, h, before); err != nil {
		return err
	}
	now, err := v.generations(ctx, h, slices.Collect(maps.Keys(before)))
	maps.DeleteFunc(now, func(name string, generation int64) bool { return generation <= before[name] })
	v.remark = fmt.Sprintf("%d of %d brought forward", len(now), len(reached))
	return err
}
