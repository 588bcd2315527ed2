package db

import (
	"context"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

// channel is the NOTIFY channel of changes.
const channel = "evergrant_changes"

// OnChange sets the function that is called with connections that have changed, after the
// commit: by this store, and, while Listen runs, by others. It must not block. Call it
// before the first change.
func (s *DB) OnChange(changed func(connectionIDs ...string)) { s.changed = changed }

// NotifyLocal calls what OnChange has set, after the commit of the transaction that ctx
// belongs to.
func (s *DB) NotifyLocal(ctx context.Context, ids ...string) {
	if s.changed != nil && len(ids) > 0 {
		s.AfterCommit(ctx, func() { s.changed(ids...) })
	}
}

// A notification has at most 8000 bytes; an id has 36 and a comma.
const idsPerNotification = 200

// Notify notifies other replicas once the transaction commits. PostgreSQL serializes the
// commits of transactions that notify; batches make that cheap.
func (s *DB) Notify(tx *gorm.DB, ids ...string) error {
	if s.dialect != PostgreSQL {
		return nil
	}
	for len(ids) > 0 {
		n := min(len(ids), idsPerNotification)
		payload := s.replica + " " + strings.Join(ids[:n], ",")
		if err := tx.Exec("SELECT pg_notify(?, ?)", channel, payload).Error; err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// Listen receives the changes of other replicas until ctx ends. lost is called each time
// after the connection was interrupted: anything may have changed meanwhile. On SQLite
// there are no other replicas, and it returns when ctx ends.
func (s *DB) Listen(ctx context.Context, lost func()) {
	if s.dialect != PostgreSQL {
		<-ctx.Done()
		return
	}
	// With jitter: replicas do not come back to a restarted database at one moment.
	pauses := &backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 2, MaxInterval: 30 * time.Second, RandomizationFactor: 0.3}
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		heard, err := s.listen(ctx, lost)
		if heard {
			pauses.Reset()
		}
		return struct{}{}, err // never nil: it listens until it fails
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, pause time.Duration) {
		s.Log.Warn("LISTEN failed, retrying", "error", err, "in", pause)
	}))
}

// listen is Listen over one connection. heard is set once it listened.
func (s *DB) listen(ctx context.Context, lost func()) (heard bool, err error) {
	connection, err := pgx.ConnectConfig(ctx, s.postgres.Copy())
	if err != nil {
		return false, err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = connection.Close(closing)
	}()
	if _, err := connection.Exec(ctx, "LISTEN "+channel); err != nil {
		return false, err
	}
	lost()
	for {
		n, err := connection.WaitForNotification(ctx)
		if err != nil {
			return true, err
		}
		from, ids, _ := strings.Cut(n.Payload, " ")
		if from != s.replica && ids != "" {
			s.NotifyLocal(ctx, strings.Split(ids, ",")...)
		}
	}
}
