package overview

import (
	"context"
	"slices"

	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
)

// ReasonSecretEnds is the reason of a forecast of a service whose client secret ends.
const ReasonSecretEnds = "client_secret_ends"

// Forecast are the connections that need a person at a known time, and the services whose
// client secrets end, soonest first.
func (o *Overview) Forecast(ctx context.Context, most int) ([]statsdb.ForecastRow, error) {
	rows, err := o.store.Stats.Forecast(ctx, most)
	if err != nil {
		return nil, err
	}
	services, err := o.store.Services.Services(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		for _, end := range s.SecretEnds() {
			rows = append(rows, statsdb.ForecastRow{ServiceID: s.ID, ServiceName: s.Name, Title: s.Title, By: end.At, Reason: ReasonSecretEnds, UpdatedAt: s.UpdatedAt})
		}
	}
	slices.SortStableFunc(rows, func(a, b statsdb.ForecastRow) int { return a.By.Compare(b.By) })
	return rows[:min(len(rows), most)], nil
}
