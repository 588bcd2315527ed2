package newest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// SetMark keeps a small value by its name, over what there was, durable when it returns:
// how far the database had got, for example. Values are not sealed, so none is a secret.
func (k *Keeper) SetMark(ctx context.Context, name, value string) error {
	return k.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		return err
	})
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
