package db

import (
	"context"
	"time"

	"gorm.io/gorm/clause"
)

// ClockPostgres is the time of the database, in milliseconds, when the statement that
// has it runs: not when its transaction began.
const ClockPostgres = `CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)`

// ClockSQL is the database's own time as a value in a statement. SQLite has no clock but that
// of the process that it is part of.
func (s *DB) ClockSQL() any {
	if s.dialect == PostgreSQL {
		return clause.Expr{SQL: ClockPostgres}
	}
	return Millis(s.now())
}

// ClockPlusSQL is the database's own time, and then some.
func (s *DB) ClockPlusSQL(d time.Duration) any {
	if s.dialect == PostgreSQL {
		return clause.Expr{SQL: "(" + ClockPostgres + " + ?)", Vars: []any{d.Milliseconds()}}
	}
	return Millis(s.now().Add(d))
}

// Clock reads the database's clock, by which leases, intents and heartbeats are judged.
func (s *DB) Clock(ctx context.Context) (time.Time, error) {
	var now int64
	err := s.Reading(ctx).Raw("SELECT @clock", map[string]any{"clock": s.ClockSQL()}).Scan(&now).Error
	return TimeOf(now), Failed("read the database's clock", err)
}
