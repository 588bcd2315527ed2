package backup

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// taker takes what a backup holds.
type taker struct {
	// begin is called with the manifest, before the first table.
	begin func(Manifest) error
	// table takes the rows of a table; next returns io.EOF behind the last one.
	table func(t store.Table, next func() ([]any, error)) (int64, error)
	// newest takes the token sets of the data folder.
	newest func(e newest.Sealed) error
}

// counting takes nothing: it reads, for the proof that everything is as it was written.
var counting = taker{
	begin: func(Manifest) error { return nil },
	table: func(_ store.Table, next func() ([]any, error)) (n int64, err error) {
		for {
			if _, err := next(); errors.Is(err, io.EOF) {
				return n, nil
			} else if err != nil {
				return n, err
			}
			n++
		}
	},
	newest: func(newest.Sealed) error { return nil },
}

// read reads a whole backup. Whatever fails, an error that wraps ErrDamaged says that the
// file is at fault.
func read(ctx context.Context, from io.Reader, box *seal.Box, to taker) (Summary, error) {
	s := Summary{Rows: map[string]int64{}}
	sealed, h, err := openStream(from, box)
	if err != nil {
		return s, err
	}
	s.Header = h
	unpacked, err := gzip.NewReader(sealed)
	if err != nil {
		return s, ofStream(err)
	}
	r := &recordReader{from: bufio.NewReaderSize(unpacked, chunk)}
	if err := readRecords(ctx, r, to, &s); err != nil {
		return s, ofStream(err)
	}
	if _, err := io.Copy(io.Discard, r.from); err != nil { // to the authenticated end
		return s, ofStream(err)
	}
	if _, err := io.Copy(io.Discard, sealed); err != nil {
		return s, ofStream(err)
	}
	return s, nil
}

// ofStream calls a stream that ends early damaged.
func ofStream(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) {
		return damaged("it ends too early")
	}
	return err
}

func readRecords(ctx context.Context, r *recordReader, to taker, s *Summary) error {
	kind, err := r.kind()
	if err != nil {
		return err
	}
	if kind != kindManifest {
		return damaged("it does not begin with its manifest")
	}
	if err := r.json(&s.Manifest); err != nil {
		return err
	}
	if err := to.begin(s.Manifest); err != nil {
		return err
	}
	if kind, err = r.kind(); err != nil {
		return err
	}
	for kind == kindTable {
		if kind, err = readTable(ctx, r, to, s); err != nil {
			return err
		}
	}
	var end ending
	if kind != kindEnd {
		return damaged("a record is of an unknown kind")
	}
	if err := r.json(&end); err != nil {
		return err
	}
	if !maps.Equal(end.Rows, s.Rows) || end.Newest != s.Newest || len(s.Rows) != len(s.Manifest.Tables) {
		return damaged("it has not as many rows as it says")
	}
	return nil
}

// readTable hands the rows of a table on and returns the kind of what follows.
func readTable(ctx context.Context, r *recordReader, to taker, s *Summary) (following byte, err error) {
	var t store.Table
	if err := r.json(&t); err != nil {
		return 0, err
	}
	next := func() ([]any, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if following, err = r.kind(); err != nil {
			return nil, err
		}
		if following != kindRow {
			return nil, io.EOF
		}
		row, err := r.row(len(t.Columns))
		return row, ofStream(err)
	}
	if t.Name == newestTable {
		s.Newest, err = takeNewest(to, next)
		return following, err
	}
	n, err := to.table(t, next)
	if err != nil {
		return 0, fmt.Errorf("the table %s: %w", t.Name, err)
	}
	s.Rows[t.Name] = n
	return following, nil
}

func takeNewest(to taker, next func() ([]any, error)) (n int64, err error) {
	for {
		row, err := next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		var e newest.Sealed
		for i, into := range []any{&e.ConnectionID, &e.Lineage, &e.Generation, &e.Tokens, &e.SavedAt} {
			if i >= len(row) || !assign(into, row[i]) {
				return n, damaged("a newest token set cannot be read")
			}
		}
		if err := to.newest(e); err != nil {
			return n, err
		}
		n++
	}
}

func assign(into, value any) (ok bool) {
	switch to := into.(type) {
	case *string:
		*to, ok = value.(string)
	case *int64:
		*to, ok = value.(int64)
	case *[]byte:
		*to, ok = value.([]byte)
	}
	return ok
}
