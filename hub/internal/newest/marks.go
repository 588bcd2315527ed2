package newest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// SetMark keeps a small value by its name, over what there was, durable when it returns:
// how far the database had got, for example. Values are not sealed, so none is a secret.
func (k *Keeper) SetMark(ctx context.Context, name, value string) error {
	return k.change(ctx, func(ctx context.Context, tx *sql.Tx) error { return setMark(ctx, tx, name, value) })
}

func setMark(ctx context.Context, tx *sql.Tx, name, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// The marks of the file's own extent.
const (
	markSince   = "since"
	markDropped = "dropped"
)

// Truncated notes that the file does not know what happened before now: it was put back
// from a copy, for example.
func (k *Keeper) Truncated(ctx context.Context) error {
	return k.SetMark(ctx, markSince, time.Now().UTC().Format(time.RFC3339Nano))
}

// Extent is what the file covers.
type Extent struct {
	// Since is when it was created, or from when on it is complete; zero for one of an
	// older version.
	Since time.Time
	// DroppedAt is when entries were dropped last because there were too many; zero is never.
	DroppedAt time.Time
}

// Extent reads it.
func (k *Keeper) Extent(ctx context.Context) (e Extent, err error) {
	for name, at := range map[string]*time.Time{markSince: &e.Since, markDropped: &e.DroppedAt} {
		value, err := k.Mark(ctx, name)
		if err != nil {
			return e, err
		}
		if t, err := time.Parse(time.RFC3339Nano, value); err == nil {
			*at = t
		}
	}
	return e, nil
}

// Mark reads a value; "" if it was never set.
func (k *Keeper) Mark(ctx context.Context, name string) (value string, err error) {
	err = k.read(func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT value FROM marks WHERE name = ?`, name).Scan(&value)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the mark %s: %w", name, err)
	}
	return value, nil
}
