package newest

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

// bound removes the entries that were not touched longest where there are too many
// bytes. Only the writer calls it.
func (k *Keeper) bound() {
	if k.bytes <= k.limit {
		return
	}
	var removed int64
	err := k.together([]*task{{do: func(ctx context.Context, tx *sql.Tx) error {
		if err := k.count(ctx, tx); err != nil || k.bytes <= k.limit {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM entries WHERE saved_at <= (SELECT saved_at FROM
			(SELECT saved_at, SUM(size) OVER (ORDER BY saved_at, connection_id, lineage) AS before FROM entries) WHERE before >= ? ORDER BY before LIMIT 1)`, k.bytes-k.limit*9/10)
		if err != nil {
			return err
		}
		if removed, err = result.RowsAffected(); err != nil {
			return err
		}
		if err := setMark(ctx, tx, markDropped, time.Now().UTC().Format(time.RFC3339Nano)); err != nil {
			return err
		}
		return k.count(ctx, tx)
	}}})
	if err != nil {
		k.log.Error("prune newest token sets file failed", "file", k.path, "error", err)
		return
	}
	if removed > 0 {
		k.log.Warn("newest token sets file full, least recently used entries dropped; they are not compared after a database restore",
			"file", k.path, "dropped", removed, "bytes", k.bytes, "most", k.limit)
	}
}

// count puts the number of bytes right.
func (k *Keeper) count(ctx context.Context, tx *sql.Tx) error {
	return tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(size), 0) FROM entries`).Scan(&k.bytes)
}

// Reseal seals every entry with the key that the box uses now and seals with it from then
// on: after a rotation, before the old key is taken out of the keyset. The box must open
// what the old one has sealed. What it does not open is left as it is, with an Error line.
func (k *Keeper) Reseal(ctx context.Context, box *seal.Box) error {
	k.boxMu.Lock()
	k.box = box
	k.boxMu.Unlock()
	return k.each(ctx, func(r row) error {
		e, err := r.open(box)
		if err != nil {
			k.log.Error("read newest token set failed, not resealed", "connection", r.connectionID, "error", err)
			return nil
		}
		sealed, err := sealEntry(box, e)
		if err != nil {
			return err
		}
		err = k.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE entries SET tokens = ? WHERE connection_id = ? AND lineage = ? AND generation = ?`, sealed, r.connectionID, r.lineage, r.generation)
			return err
		})
		if err != nil {
			return fmt.Errorf("seal the newest token sets anew: %w", err)
		}
		return nil
	})
}
