package store

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// Forecast reads the connections that need a person at a known time, soonest
// first, at most limit.
func (s *Store) Forecast(ctx context.Context, limit int) ([]ForecastRow, error) {
	var rows []connectionRow
	err := s.reading(ctx).Where("person_by > 0").Order("person_by, name").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, failed("read the forecast", err)
	}
	forecast := make([]ForecastRow, 0, len(rows))
	for _, c := range s.readableOf(rows) {
		by, reason := c.PersonBy()
		forecast = append(forecast, ForecastRow{Name: c.Name, Title: c.Title, ServiceID: c.ServiceID, By: by, Reason: string(reason), ID: c.ID, UpdatedAt: c.UpdatedAt})
	}
	slices.SortStableFunc(forecast, func(a, b ForecastRow) int { return a.By.Compare(b.By) })
	return forecast, nil
}

// PersonNeeded reads the connections that need a person at a known time, soonest
// first, at most limit.
func (s *Store) PersonNeeded(ctx context.Context, limit int) ([]connection.Connection, error) {
	var rows []connectionRow
	if err := s.reading(ctx).Where("person_by > 0").Order("person_by, name").Limit(limit).Find(&rows).Error; err != nil {
		return nil, failed("read who needs a person", err)
	}
	return s.connectionsOf(rows)
}

// PersonNeededByDay counts the connections that need a person on each of the days
// that follow now, each 24 hours long.
func (s *Store) PersonNeededByDay(ctx context.Context, now time.Time, days int) ([]int, error) {
	var rows []struct {
		Day   int
		Count int
	}
	err := s.reading(ctx).Raw(`SELECT (person_by - @now) / @day AS day, COUNT(*) AS count FROM connections
		WHERE person_by >= @now AND person_by < @end GROUP BY 1`,
		map[string]any{"now": millis(now), "day": aDay.Milliseconds(), "end": millis(now.Add(time.Duration(days) * aDay))}).Scan(&rows).Error
	counts := make([]int, days)
	for _, row := range rows {
		if row.Day >= 0 && row.Day < days {
			counts[row.Day] = row.Count
		}
	}
	return counts, failed("count by when people are needed", err)
}

// ForecastRow is when a person is needed, and why.
type ForecastRow struct {
	ID, Name, Title, ServiceID string
	By                         time.Time
	// Reason is a connection.Reason.
	Reason    string
	UpdatedAt time.Time
}
