package newest

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Withdrawal is an act that took something away: a key that was revoked, a person who was
// removed, a grant that was revoked. A restored database lacks it.
type Withdrawal struct {
	At time.Time
	// Act is the act of the audit record, for example api_key.revoke.
	Act string
	// Kind and Object say what was withdrawn, as in the audit record.
	Kind, Object string
}

// mostWithdrawals bounds what is kept: the oldest go first.
const mostWithdrawals = 20_000

// Withdrew notes a withdrawal, durable when it returns. One that is known already gets
// the new time.
func (k *Keeper) Withdrew(ctx context.Context, w Withdrawal) error {
	return k.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO withdrawals (at, act, kind, object) VALUES (?, ?, ?, ?)
			ON CONFLICT (act, kind, object) DO UPDATE SET at = MAX(at, excluded.at)`, w.At.UnixMilli(), w.Act, w.Kind, w.Object)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM withdrawals WHERE seq <= (SELECT seq FROM withdrawals ORDER BY seq DESC LIMIT 1 OFFSET ?)`, mostWithdrawals)
		return err
	})
}

// NotWithdrawn removes a withdrawal that was undone.
func (k *Keeper) NotWithdrawn(ctx context.Context, w Withdrawal) error {
	return k.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM withdrawals WHERE act = ? AND kind = ? AND object = ?`, w.Act, w.Kind, w.Object)
		return err
	})
}

// Withdrawals are those that happened after a time, oldest first.
func (k *Keeper) Withdrawals(ctx context.Context, after time.Time) (all []Withdrawal, err error) {
	err = k.read(func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT at, act, kind, object FROM withdrawals WHERE at > ? ORDER BY at, seq`, millis(after))
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var w Withdrawal
			var at int64
			if err := rows.Scan(&at, &w.Act, &w.Kind, &w.Object); err != nil {
				return err
			}
			w.At = timeOf(at)
			all = append(all, w)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read what was withdrawn: %w", err)
	}
	return all, nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOf(millis int64) time.Time { return time.UnixMilli(millis).UTC() }
