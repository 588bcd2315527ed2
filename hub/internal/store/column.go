package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// millis is a time as a column holds it.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// timeOf is the time that a column holds.
func timeOf(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// jsonText is a value as a text column holds it.
func jsonText(v any) (string, error) {
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

// sealJSON seals a value for its place.
func (s *Store) sealJSON(v any, table, id, column string) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil { // its text may quote the value
		return nil, fmt.Errorf("seal %s.%s of %s: it cannot be written as JSON", table, column, id)
	}
	return s.box.Seal(data, table, id, column)
}

// openJSON reads what sealJSON made for the same place.
func (s *Store) openJSON(sealed []byte, v any, table, id, column string) error {
	data, err := s.box.Open(sealed, table, id, column)
	if err != nil {
		return err
	}
	if err := fromJSON(data, v); err != nil {
		return fmt.Errorf("open %s.%s of %s: what was sealed is no JSON of the expected form", table, column, id)
	}
	return nil
}

// later is the next value of updated_at: it grows with each change, so that
// generation and updated_at together name one content of a row.
func later(now time.Time, before int64) int64 { return max(millis(now), before+1) }

// rowsAtOnce bounds the rows of one statement, for databases bound its values.
const rowsAtOnce = 500

const aDay = 24 * time.Hour
