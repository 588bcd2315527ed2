package statsdb

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Forecast reads the connections that need a person at a known time, soonest
// first, at most limit.
func (s *Rows) Forecast(ctx context.Context, limit int) ([]ForecastRow, error) {
	var rows []grantdb.ConnectionRow
	err := s.db.Reading(ctx).Where("person_by > 0").Order("person_by, name").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, db.Failed("read the forecast", err)
	}
	forecast := make([]ForecastRow, 0, len(rows))
	for _, c := range s.grants.ReadableOf(rows) {
		by, reason := c.PersonBy()
		forecast = append(forecast, ForecastRow{Name: c.Name, Title: c.Title, ServiceID: c.ServiceID, By: by, Reason: string(reason), ID: c.ID, UpdatedAt: c.UpdatedAt})
	}
	slices.SortStableFunc(forecast, func(a, b ForecastRow) int { return a.By.Compare(b.By) })
	return forecast, nil
}

// PersonNeeded reads the connections that need a person at a known time, soonest
// first, at most limit.
func (s *Rows) PersonNeeded(ctx context.Context, limit int) ([]connection.Connection, error) {
	var rows []grantdb.ConnectionRow
	if err := s.db.Reading(ctx).Where("person_by > 0").Order("person_by, name").Limit(limit).Find(&rows).Error; err != nil {
		return nil, db.Failed("read who needs a person", err)
	}
	return s.grants.ConnectionsOf(rows)
}

// PersonNeededByDay counts the connections that need a person on each of the days
// that follow now, each 24 hours long.
func (s *Rows) PersonNeededByDay(ctx context.Context, now time.Time, days int) ([]int, error) {
	var rows []struct {
		Day   int
		Count int
	}
	err := s.db.Reading(ctx).Raw(`SELECT (person_by - @now) / @day AS day, COUNT(*) AS count FROM connections
		WHERE person_by >= @now AND person_by < @end GROUP BY 1`,
		map[string]any{"now": db.Millis(now), "day": db.Day.Milliseconds(), "end": db.Millis(now.Add(time.Duration(days) * db.Day))}).Scan(&rows).Error
	counts := make([]int, days)
	for _, row := range rows {
		if row.Day >= 0 && row.Day < days {
			counts[row.Day] = row.Count
		}
	}
	return counts, db.Failed("count by when people are needed", err)
}

// ForecastRow is when a person is needed, and why.
type ForecastRow struct {
	ID, Name, Title, ServiceID string
	// ServiceName is set if it is about a service, and ID and Name are empty.
	ServiceName string
	By          time.Time
	// Reason is a connection.Reason, or one of the overview's own.
	Reason    string
	UpdatedAt time.Time
}
