package peopledb

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type tryBudgetRow struct {
	Key    string `gorm:"primaryKey"`
	FullAt int64
}

// TableName pins the table.
func (tryBudgetRow) TableName() string { return "try_budgets" }

// TryBudget bounds how often something is tried: Burst times at once, and once more each
// Every. It is kept as the time at which the whole burst is there again (the generic cell
// rate algorithm), by the database's clock, so all hubs of a database share it and a
// restart loses nothing.
type TryBudget struct {
	// Key is a hash of a fixed size that names what is tried.
	Key   string
	Burst int
	Every time.Duration
}

// spare is how far ahead of now the whole budget may be so that one more try is left.
func (b TryBudget) spare() time.Duration { return time.Duration(b.Burst-1) * b.Every }

// errSpent rolls back what was taken from the budgets before the one that is spent.
var errSpent = errors.New("a budget is spent")

// SpendTries takes one try from each budget, or from none. wait is zero if the try may be
// made, else when to come again. Callers name budgets in the same order of kinds, so that
// two of them never wait for each other.
func (s *Rows) SpendTries(ctx context.Context, budgets ...TryBudget) (wait time.Duration, err error) {
	// Floods on a spent budget are answered by a read, so that renewals do not wait for
	// them.
	if wait, err = s.TriesWait(ctx, budgets...); err != nil || wait > 0 {
		return wait, err
	}
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		for _, b := range budgets {
			if err := s.spendTry(tx, b); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, errSpent) {
		return 0, db.Failed("count a try", err)
	}
	if wait, err = s.TriesWait(ctx, budgets...); err == nil && wait <= 0 {
		wait = time.Second // it was spent a moment ago, and is not now
	}
	return wait, err
}

// spendTry counts a try and finds whether it may be made, in one statement.
func (s *Rows) spendTry(tx *gorm.DB, b TryBudget) error {
	later := "MAX"
	if s.db.Dialect() == db.PostgreSQL {
		later = "GREATEST"
	}
	result := tx.Exec(`INSERT INTO try_budgets (key, full_at) VALUES (@key, @now + @every)
		ON CONFLICT (key) DO UPDATE SET full_at = `+later+`(try_budgets.full_at, @now) + @every
		WHERE try_budgets.full_at <= @now + @spare`,
		map[string]any{"key": b.Key, "now": s.db.ClockSQL(), "every": b.Every.Milliseconds(), "spare": b.spare().Milliseconds()})
	if result.Error == nil && result.RowsAffected == 0 {
		return errSpent
	}
	return result.Error
}

// TriesWait is how long to wait until each of the budgets has a try left; zero if all have.
func (s *Rows) TriesWait(ctx context.Context, budgets ...TryBudget) (wait time.Duration, err error) {
	keys := make([]string, 0, len(budgets))
	for _, b := range budgets {
		keys = append(keys, b.Key)
	}
	var rows []struct {
		Key   string
		Ahead int64
	}
	err = s.db.Reading(ctx).Raw("SELECT key, full_at - @now AS ahead FROM try_budgets WHERE key IN @keys", map[string]any{"now": s.db.ClockSQL(), "keys": keys}).Scan(&rows).Error
	if err != nil {
		return 0, db.Failed("read how often something was tried", err)
	}
	for _, b := range budgets {
		for _, row := range rows {
			if row.Key == b.Key {
				wait = max(wait, time.Duration(row.Ahead)*time.Millisecond-b.spare())
			}
		}
	}
	return wait, nil
}

// ReturnTries gives each budget the try back that was taken from it.
func (s *Rows) ReturnTries(ctx context.Context, budgets ...TryBudget) error {
	var errs []error
	for _, b := range budgets {
		errs = append(errs, s.db.Writing(ctx).Exec("UPDATE try_budgets SET full_at = full_at - ? WHERE key = ?", b.Every.Milliseconds(), b.Key).Error)
	}
	return db.Failed("give a try back", errors.Join(errs...))
}

// ForgetTries makes budgets whole.
func (s *Rows) ForgetTries(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	return db.Failed("forget what was tried", s.db.Writing(ctx).Where("key IN ?", keys).Delete(&tryBudgetRow{}).Error)
}

// PruneTries removes the rows of budgets that are whole again.
func (s *Rows) PruneTries(ctx context.Context) error {
	return db.Failed("remove budgets that are whole", s.db.Writing(ctx).Where("full_at <= ?", s.db.ClockSQL()).Delete(&tryBudgetRow{}).Error)
}
