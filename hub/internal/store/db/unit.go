package db

import (
	"context"
	"sync/atomic"

	"gorm.io/gorm"
)

// unit is a transaction that travels in a context: everything that is read and written
// with that context belongs to it.
type unit struct {
	store *DB
	tx    *gorm.DB
	// committed are called after the commit, in order.
	committed []func()
	// over is set when the transaction has ended: a context may outlive it.
	over atomic.Bool
}

type unitInContext struct{}

// InTx runs do as one transaction: what do reads and writes of this Store with the context
// that it is given is committed together, or not at all if do returns an error. A call
// within another one joins it, behind a savepoint of its own: after a statement that has
// failed PostgreSQL takes no other one, so what may fail and is gone on from needs that.
//
// do must not wait for anything outside: on SQLite it holds the one connection that writes.
// Renewals, intents and replies are written in batches and are never part of it.
func (s *DB) InTx(ctx context.Context, do func(ctx context.Context) error) error {
	if u := s.unitOf(ctx); u != nil {
		before := len(u.committed)
		err := s.Transaction(ctx, func(*gorm.DB) error { return do(ctx) })
		if err != nil { // what was rolled back behind the savepoint is told to nobody
			u.committed = u.committed[:before]
		}
		return err
	}
	u := &unit{store: s}
	defer u.over.Store(true)
	err := s.Transaction(ctx, func(tx *gorm.DB) error {
		u.tx = tx
		return do(context.WithValue(ctx, unitInContext{}, u))
	})
	u.over.Store(true)
	if err == nil {
		for _, committed := range u.committed {
			committed()
		}
	}
	return err
}

// AfterCommit calls do after the commit of the transaction that ctx belongs to, and at once
// where there is none. A transaction that is rolled back drops it.
func (s *DB) AfterCommit(ctx context.Context, do func()) {
	if u := s.unitOf(ctx); u != nil {
		u.committed = append(u.committed, do)
		return
	}
	do()
}

// unitOf is the transaction of this store that a context belongs to; nil without one, and
// once it has ended.
func (s *DB) unitOf(ctx context.Context) *unit {
	if u, ok := ctx.Value(unitInContext{}).(*unit); ok && u.store == s && !u.over.Load() {
		return u
	}
	return nil
}

// Within reports whether a context belongs to a transaction of this store.
func (s *DB) Within(ctx context.Context) bool { return s.unitOf(ctx) != nil }

// Reading is the handle for statements that change nothing.
func (s *DB) Reading(ctx context.Context) *gorm.DB {
	if u := s.unitOf(ctx); u != nil {
		return u.tx.WithContext(ctx)
	}
	return s.read.WithContext(ctx)
}

// Writing is the handle for single statements that change something.
func (s *DB) Writing(ctx context.Context) *gorm.DB {
	if u := s.unitOf(ctx); u != nil {
		return u.tx.WithContext(ctx)
	}
	return s.write.WithContext(ctx)
}

// Transaction runs do; it must use only the handle that it is given, for SQLite
// has no second connection that writes. Within InTx it is a part of that transaction,
// behind a savepoint.
func (s *DB) Transaction(ctx context.Context, do func(tx *gorm.DB) error) error {
	err := s.Writing(ctx).Transaction(do)
	s.AfterCommit(ctx, func() { s.writes.Add(1) })
	return err
}
