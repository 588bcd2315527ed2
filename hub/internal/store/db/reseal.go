package db

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

// resealAtOnce is how many values are sealed anew in one transaction: renewals wait
// for it on SQLite.
const resealAtOnce = 100

// Reseal seals what older keys of the keyset have sealed with the one that seals now, a
// hundred values in a transaction, and returns how many those were. Hubs may run: a value that
// changes meanwhile stays as it was written. It may be called again after an error. An
// error names the row of a value that does not open.
func (s *DB) Reseal(ctx context.Context) (sealed int, err error) {
	for _, c := range sealedColumns {
		n, err := s.resealColumn(ctx, c)
		if sealed += n; err != nil {
			return sealed, err
		}
	}
	return sealed, nil
}

// sealedValue is a value of a column, with the row that it is sealed for.
type sealedValue struct {
	ID     string
	Sealed []byte
}

func (s *DB) resealColumn(ctx context.Context, c sealedColumn) (sealed int, err error) {
	for after := ""; ; {
		values, err := s.sealedByOthers(ctx, c, after)
		if err != nil || len(values) == 0 {
			return sealed, err
		}
		after = values[len(values)-1].ID
		err = s.Transaction(ctx, func(tx *gorm.DB) error {
			for _, v := range values {
				if err := s.resealOne(tx, c, v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return sealed, Failed("seal the table "+c.table+" anew", err)
		}
		sealed += len(values)
	}
}

// sealedByOthers reads the next values of a column that the present key has not sealed.
func (s *DB) sealedByOthers(ctx context.Context, c sealedColumn, after string) ([]sealedValue, error) {
	var values []sealedValue
	err := s.Reading(ctx).Raw(fmt.Sprintf(`SELECT %[1]s AS id, %[2]s AS sealed FROM %[3]s
		WHERE LENGTH(%[2]s) > 0 AND SUBSTR(%[2]s, 1, %[4]d) <> ? AND %[1]s > ? ORDER BY 1 LIMIT %[5]d`,
		c.id, c.column, c.table, seal.PrefixSize, resealAtOnce), s.Box.Prefix(), after).Scan(&values).Error
	return values, Failed("read the table "+c.table, err)
}

func (s *DB) resealOne(tx *gorm.DB, c sealedColumn, v sealedValue) error {
	plain, err := s.Box.Open(v.Sealed, c.table, v.ID, c.column)
	if err != nil {
		return err
	}
	sealed, err := s.Box.Seal(plain, c.table, v.ID, c.column)
	if err != nil {
		return err
	}
	return tx.Exec(fmt.Sprintf(`UPDATE %s SET %s = ? WHERE %s = ? AND %s = ?`, c.table, c.column, c.id, c.column), sealed, v.ID, v.Sealed).Error
}

// SealedBy counts the sealed values by the key that has sealed them.
func (in *Inspector) SealedBy(ctx context.Context) (map[uint32]int, error) {
	counts := map[uint32]int{}
	for _, c := range sealedColumns {
		if err := in.countColumn(ctx, c, counts); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

func (in *Inspector) countColumn(ctx context.Context, c sealedColumn, counts map[uint32]int) error {
	rows, err := in.s.pools[0].QueryContext(ctx, fmt.Sprintf("SELECT SUBSTR(%[1]s, 1, %[3]d), COUNT(*) FROM %[2]s WHERE LENGTH(%[1]s) > 0 GROUP BY 1", c.column, c.table, seal.PrefixSize))
	if err != nil {
		return Failed("read the table "+c.table, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var prefix []byte
		var n int
		if err := rows.Scan(&prefix, &n); err != nil {
			return Failed("read the table "+c.table, err)
		}
		if key, ok := seal.KeyOf(prefix); ok {
			counts[key] += n
		}
	}
	return Failed("read the table "+c.table, rows.Err())
}
