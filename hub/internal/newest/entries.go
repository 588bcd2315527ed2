package newest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/seal"
)

// sealedEntry is what is sealed. Unlike the domain's form of a token set it distinguishes
// "no scopes" from "scopes not given".
type sealedEntry struct {
	Tokens    connection.TokenSet `json:"tokens"`
	Scopes    []string            `json:"scopes"`
	RenewedAt time.Time           `json:"renewed_at"`
}

// overhead is what an entry takes beside its sealed tokens, about.
const overhead = 160

// Put saves an entry and returns when it is durable. An older generation of the same
// lineage changes nothing. Of a connection's lineages the last two are kept: a restore
// may bring back the one before.
func (k *Keeper) Put(ctx context.Context, e Entry) error {
	if e.ConnectionID == "" || e.Lineage == "" {
		return errors.New("an entry of newest token sets needs a connection and a lineage")
	}
	if e.SavedAt.IsZero() {
		e.SavedAt = time.Now()
	}
	sealed, err := sealEntry(k.sealer(), e)
	if err != nil {
		return err
	}
	size := int64(len(sealed) + overhead)
	other := k.index.raise(e.ConnectionID, e.Lineage, e.Generation)
	return k.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return k.put(ctx, tx, e, sealed, size, other)
	})
}

const saveEntry = `INSERT INTO entries (connection_id, lineage, generation, tokens, size, saved_at) VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (connection_id, lineage) DO UPDATE SET generation = excluded.generation, tokens = excluded.tokens, size = excluded.size, saved_at = excluded.saved_at
	WHERE excluded.generation >= entries.generation`

// put saves an entry; other is set if its lineage may be another than the one before.
func (k *Keeper) put(ctx context.Context, tx *sql.Tx, e Entry, sealed []byte, size int64, other bool) error {
	result, err := tx.StmtContext(ctx, k.save).ExecContext(ctx, e.ConnectionID, e.Lineage, e.Generation, sealed, size, e.SavedAt.UnixMilli()) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	k.index.raise(e.ConnectionID, e.Lineage, e.Generation) // again: the connection may have been dropped meanwhile
	k.bytes += size                                        // bound corrects the size for a replaced entry
	if !other {
		return nil
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM entries WHERE connection_id = ?1 AND lineage NOT IN
		(SELECT lineage FROM entries WHERE connection_id = ?1 ORDER BY saved_at DESC, lineage = ?2 DESC LIMIT 2)`, e.ConnectionID, e.Lineage)
	return err
}

// Beyond reports whether an entry of the connection may be newer than a generation. It
// reads no file, and is never wrong in saying no.
func (k *Keeper) Beyond(connectionID string, generation int64) bool {
	return k.index.beyond(connectionID, generation)
}

// Newest reads the newest token set of a connection's lineage; ok is false if none is
// known here. An entry that the key does not open is an error.
func (k *Keeper) Newest(ctx context.Context, connectionID, lineage string) (e Entry, ok bool, err error) {
	var r row
	err = k.read(func(db *sql.DB) error {
		return r.scan(db.QueryRowContext(ctx, selectEntries+` WHERE connection_id = ? AND lineage = ?`, connectionID, lineage))
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{}, false, nil
	}
	if err != nil {
		return Entry{}, false, fmt.Errorf("read the newest token set of %s: %w", connectionID, err)
	}
	e, err = r.open(k.sealer())
	return e, err == nil, err
}

const selectEntries = `SELECT connection_id, lineage, generation, tokens, saved_at FROM entries`

type row struct {
	connectionID, lineage string
	generation, savedAt   int64
	tokens                []byte
}

func (r *row) scan(from interface{ Scan(to ...any) error }) error {
	return from.Scan(&r.connectionID, &r.lineage, &r.generation, &r.tokens, &r.savedAt)
}

// place is the entry's identity in associated data.
func place(connectionID, lineage string, generation int64) string {
	return connectionID + "/" + lineage + "/" + strconv.FormatInt(generation, 10)
}

func (r *row) open(box *seal.Box) (Entry, error) {
	e := Entry{ConnectionID: r.connectionID, SavedAt: timeOf(r.savedAt)}
	data, err := box.Open(r.tokens, "newest", place(r.connectionID, r.lineage, r.generation), "tokens")
	if err != nil {
		return e, err
	}
	var s sealedEntry
	if err := json.Unmarshal(data, &s); err != nil { // its text may quote a token
		return e, fmt.Errorf("the newest token set of %s is no JSON of the expected form", r.connectionID)
	}
	s.Tokens.Scopes = s.Scopes
	e.Lineage, e.Generation, e.Tokens, e.RenewedAt = r.lineage, r.generation, s.Tokens, s.RenewedAt
	return e, nil
}

func sealEntry(box *seal.Box, e Entry) ([]byte, error) {
	data, err := json.Marshal(sealedEntry{Tokens: e.Tokens, Scopes: e.Tokens.Scopes, RenewedAt: e.RenewedAt})
	if err != nil { // its text may quote a token
		return nil, fmt.Errorf("the newest token set of %s cannot be written as JSON", e.ConnectionID)
	}
	return box.Seal(data, "newest", place(e.ConnectionID, e.Lineage, e.Generation), "tokens")
}

// Drop removes the entries of connections that were deleted, and of grants that were
// given back.
func (k *Keeper) Drop(ctx context.Context, connectionIDs ...string) error {
	if len(connectionIDs) == 0 {
		return nil
	}
	return k.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, id := range connectionIDs {
			if _, err := tx.ExecContext(ctx, `DELETE FROM entries WHERE connection_id = ?`, id); err != nil {
				return err
			}
		}
		k.index.drop(connectionIDs...)
		return k.count(ctx, tx)
	})
}

// Each calls do for every entry, by connection, until it returns an error. An entry that
// the key does not open is left out, with an Error line.
func (k *Keeper) Each(ctx context.Context, do func(Entry) error) error {
	return k.each(ctx, func(r row) error {
		e, err := r.open(k.sealer())
		if err != nil {
			k.log.Error("read newest token set failed, skipped", "connection", r.connectionID, "error", err)
			return nil
		}
		return do(e)
	})
}

// pageOf is how many entries are read at once: do may write meanwhile.
const pageOf = 200

func (k *Keeper) each(ctx context.Context, do func(row) error) error {
	var last row
	for {
		page, err := k.page(ctx, last)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			if err := do(r); err != nil {
				return err
			}
		}
		last = page[len(page)-1]
	}
}

func (k *Keeper) page(ctx context.Context, after row) (page []row, err error) {
	err = k.read(func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, selectEntries+` WHERE (connection_id, lineage) > (?, ?) ORDER BY connection_id, lineage LIMIT ?`, after.connectionID, after.lineage, pageOf)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var r row
			if err := r.scan(rows); err != nil {
				return err
			}
			page = append(page, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read the newest token sets: %w", err)
	}
	return page, nil
}
