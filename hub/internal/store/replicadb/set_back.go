package replicadb

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
)

// settingSetBack names the last step of the database's clock, and what became of it.
const settingSetBack = "clock_set_back"

// setBack is what the setting holds.
type setBack struct {
	At   int64 `json:"at"` // by the clock after it
	By   int64 `json:"by"` // in milliseconds
	Done bool  `json:"done"`
	// After is the last connection that was moved.
	After string `json:"after"`
}

// Two replicas detect one step within their heartbeat intervals, and measure it this
// exactly.
const (
	sameStep    = 2 * time.Minute
	sameStepBy  = 10 * time.Second
	setBackGone = 5 * time.Minute
)

// ErrBeingMoved reports that another replica moves the dates for the same step of the
// clock.
var ErrBeingMoved = errors.New("another hub moves what was dated before the clock stepped")

// MoveDates moves what was dated before the database's clock stepped by a time, once however
// many replicas have seen it. If it went back (negative), all of a connection is moved:
// connection.SetBack. If it went forward, expiries are what services have said and stay, but
// open intents are moved: their owners have had no more time. It returns how many rows were
// moved. Errors: ErrBeingMoved while another one is at it.
func (s *Rows) MoveDates(ctx context.Context, by time.Duration) (moved int, err error) {
	now, err := s.db.Clock(ctx)
	if err != nil {
		return 0, err
	}
	state, err := s.claimSetBack(ctx, now, by)
	if err != nil || state.Done {
		return 0, err
	}
	if by < 0 {
		moved, err = s.moveBack(ctx, &state, now, by)
	} else {
		moved, err = s.moveIntents(ctx, now, by)
	}
	if err != nil {
		return moved, err
	}
	state.Done = true
	return moved, s.noteSetBack(ctx, state)
}

// moveBack moves the connections behind state.After.
func (s *Rows) moveBack(ctx context.Context, state *setBack, now time.Time, by time.Duration) (moved int, err error) {
	for {
		var rows []grantdb.ConnectionRow
		if err := s.db.Reading(ctx).Where("id > ?", state.After).Order("id").Limit(db.RowsAtOnce).Find(&rows).Error; err != nil {
			return moved, db.Failed("find what was dated before the clock stepped", err)
		}
		if len(rows) == 0 {
			return moved, nil
		}
		for _, c := range s.grants.ReadableOf(rows) {
			done, err := s.renewals.MoveConnection(ctx, c, c.SetBack(now, by))
			if err != nil {
				return moved, err
			}
			if done {
				moved++
			}
		}
		state.After = rows[len(rows)-1].ID
		if err := s.noteSetBack(ctx, *state); err != nil {
			return moved, err
		}
	}
}

// moveIntents moves the intents that were begun before the clock went forward: they are at
// least so old by it.
func (s *Rows) moveIntents(ctx context.Context, now time.Time, by time.Duration) (moved int, err error) {
	ms := by.Milliseconds()
	result := s.db.Writing(ctx).Model(&renewaldb.IntentRow{}).Where("begun_at < ?", db.Millis(now.Add(-by))).Updates(map[string]any{
		"begun_at": gorm.Expr("begun_at + ?", ms), "send_by": gorm.Expr("send_by + ?", ms), "deadline": gorm.Expr("deadline + ?", ms),
	})
	return int(result.RowsAffected), db.Failed("move what was begun before the clock went forward", result.Error)
}

// claimSetBack returns where to begin; Done if this step of the clock has been dealt with.
func (s *Rows) claimSetBack(ctx context.Context, now time.Time, by time.Duration) (state setBack, err error) {
	state = setBack{At: db.Millis(now), By: by.Milliseconds()}
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		last, err := s.lockSetBack(tx)
		if err != nil {
			return err
		}
		age, apart := now.Sub(db.TimeOf(last.At)).Abs(), (by - time.Duration(last.By)*time.Millisecond).Abs()
		switch {
		case last.By == 0: // the first one ever
		case last.Done && age < sameStep && apart < sameStepBy:
			state.Done = true
			return nil
		case !last.Done && age < setBackGone:
			return ErrBeingMoved
		case !last.Done && apart < sameStepBy:
			state.After = last.After // that hub has stopped in the middle
		}
		data, err := json.Marshal(state)
		if err != nil {
			return err
		}
		return tx.Model(&db.SettingRow{}).Where("key = ?", settingSetBack).Update("value", string(data)).Error
	})
	return state, db.Failed("note that the clock stepped", err)
}

// lockSetBack reads the setting and keeps others from changing it.
func (s *Rows) lockSetBack(tx *gorm.DB) (last setBack, err error) {
	err = tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&db.SettingRow{Key: settingSetBack, Value: "{}"}).Error
	if err != nil {
		return last, err
	}
	query, row := tx.Where("key = ?", settingSetBack), db.SettingRow{}
	if s.db.Dialect() == db.PostgreSQL {
		query = query.Clauses(clause.Locking{Strength: "UPDATE"})
	}
	if err := query.Take(&row).Error; err != nil {
		return last, err
	}
	return last, json.Unmarshal([]byte(row.Value), &last)
}

func (s *Rows) noteSetBack(ctx context.Context, b setBack) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return s.db.SetSetting(ctx, settingSetBack, string(data))
}
