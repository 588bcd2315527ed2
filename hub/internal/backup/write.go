package backup

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

// Source says what to back up.
type Source struct {
	// Database is the hub's; hubs may run on it.
	Database store.Options
	// DataDir has this machine's file of newest token sets.
	DataDir string
	Box     *seal.Box
	// Version of the program.
	Version string
	// Progress is called after each table; optional.
	Progress func(table string, rows int64)
}

// Summary says what a backup holds.
type Summary struct {
	Header   Header
	Manifest Manifest
	// Rows counts those of each table, Newest the token sets of the data folder.
	Rows   map[string]int64
	Newest int64
	// Sealed counts the sealed values that were opened; 0 if that was not tried.
	Sealed int
}

// newestTable is the name of the token sets of the data folder among the tables.
const newestTable = "newest"

var newestColumns = []string{"connection_id", "lineage", "generation", "tokens", "saved_at"}

// Write writes a backup of one moment. Only then, so that it is not older than the rows,
// the data folder's file is read.
func Write(ctx context.Context, src Source, to io.Writer) (Summary, error) {
	src.Database.Box = src.Box
	if src.Progress == nil {
		src.Progress = func(string, int64) {}
	}
	in, err := store.Inspect(ctx, src.Database)
	if err != nil {
		return Summary{}, err
	}
	defer func() { _ = in.Close() }()
	if err := in.KeyFits(ctx); err != nil && !errors.Is(err, auditdb.ErrNothingSealed) {
		return Summary{}, fmt.Errorf("the key must fit the database: %w", err)
	}
	shot, err := in.Snapshot(ctx)
	if err != nil {
		return Summary{}, err
	}
	defer func() { _ = shot.Close() }()
	s := Summary{Rows: map[string]int64{}}
	s.Header = Header{Format: format, ID: store.NewID(), MadeAt: time.Now().UTC().Truncate(time.Millisecond), HubKey: src.Box.KeyID()}
	s.Manifest = Manifest{Version: src.Version, Schema: shot.Schema, Database: in.Dialect(), MadeAt: s.Header.MadeAt, HubKey: s.Header.HubKey, Tables: shot.Tables}
	sealed, err := beginStream(to, src.Box, s.Header)
	if err != nil {
		return s, fmt.Errorf("write the backup: %w", err)
	}
	packed, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return s, err
	}
	w := &recordWriter{to: bufio.NewWriterSize(packed, chunk)}
	if err := writeRecords(ctx, w, src, shot, &s); err != nil {
		return s, err
	}
	for _, end := range []func() error{w.to.Flush, packed.Close, sealed.Close} {
		if err := end(); err != nil {
			return s, fmt.Errorf("write the backup: %w", err)
		}
	}
	return s, nil
}

func writeRecords(ctx context.Context, w *recordWriter, src Source, shot *store.Snapshot, s *Summary) error {
	if err := w.json(kindManifest, s.Manifest); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	for _, t := range shot.Tables {
		if err := w.json(kindTable, t); err != nil {
			return fmt.Errorf("write the backup: %w", err)
		}
		var n int64
		err := shot.Rows(ctx, t, func(row []any) error { n++; return w.row(row) })
		if err != nil {
			return fmt.Errorf("back up the table %s: %w", t.Name, err)
		}
		s.Rows[t.Name] = n
		src.Progress(t.Name, n)
	}
	if err := writeNewest(ctx, w, src, s); err != nil {
		return err
	}
	if err := w.json(kindEnd, ending{Rows: s.Rows, Newest: s.Newest}); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

func writeNewest(ctx context.Context, w *recordWriter, src Source, s *Summary) error {
	if err := w.json(kindTable, store.Table{Name: newestTable, Columns: newestColumns}); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	err := newest.ReadSealed(ctx, src.DataDir, func(e newest.Sealed) error {
		s.Newest++
		return w.row([]any{e.ConnectionID, e.Lineage, e.Generation, e.Tokens, e.SavedAt})
	})
	if err != nil {
		return fmt.Errorf("back up the newest token sets: %w", err)
	}
	src.Progress(newestTable, s.Newest)
	return nil
}
