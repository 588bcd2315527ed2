package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"
)

// clockPostgres is the time of the database, in milliseconds, when the statement that
// has it runs: not when its transaction began.
const clockPostgres = `CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)`

// clock is the database's own time as a value in a statement. SQLite has no clock but that
// of the process that it is part of.
func (s *Store) clock() any {
	if s.dialect == PostgreSQL {
		return clause.Expr{SQL: clockPostgres}
	}
	return millis(s.now())
}

// clockPlus is the database's own time, and then some.
func (s *Store) clockPlus(d time.Duration) any {
	if s.dialect == PostgreSQL {
		return clause.Expr{SQL: "(" + clockPostgres + " + ?)", Vars: []any{d.Milliseconds()}}
	}
	return millis(s.now().Add(d))
}

// Clock reads the database's clock, by which leases, intents and heartbeats are judged.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	var now int64
	err := s.reading(ctx).Raw("SELECT @clock", map[string]any{"clock": s.clock()}).Scan(&now).Error
	return timeOf(now), failed("read the database's clock", err)
}
