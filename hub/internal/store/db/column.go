package db

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Millis is a time as a column holds it.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// TimeOf is the time that a column holds.
func TimeOf(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// JSONText is a value as a text column holds it.
func JSONText(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}

// fromJSON reads what jsonText wrote into v. Numbers in values of any type keep
// all their digits.
func fromJSON(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return dec.Decode(v)
}

// SealJSON seals a value for its place.
func (s *DB) SealJSON(v any, table, id, column string) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil { // its text may quote the value
		return nil, fmt.Errorf("seal %s.%s of %s: it cannot be written as JSON", table, column, id)
	}
	return s.Box.Seal(data, table, id, column)
}

// OpenJSON reads what sealJSON made for the same place.
func (s *DB) OpenJSON(sealed []byte, v any, table, id, column string) error {
	data, err := s.Box.Open(sealed, table, id, column)
	if err != nil {
		return err
	}
	if err := fromJSON(data, v); err != nil {
		return fmt.Errorf("open %s.%s of %s: what was sealed is no JSON of the expected form", table, column, id)
	}
	return nil
}

// Later is the next value of updated_at: it grows with each change, so that
// generation and updated_at together name one content of a row.
func Later(now time.Time, before int64) int64 { return max(Millis(now), before+1) }

// RowsAtOnce bounds the rows of one statement, for databases bound its values.
const RowsAtOnce = 500

// Day is a day of a forecast.
const Day = 24 * time.Hour
