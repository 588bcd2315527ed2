package overview

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
)

// The reasons of a forecast of a service: its client secret, or the certificate by which the
// hub proves itself to it, ends.
const (
	ReasonSecretEnds      = "client_secret_ends"
	ReasonCertificateEnds = "client_certificate_ends"
)

// Forecast are the connections that need a person at a known time, and the services whose
// client secrets or certificates end, soonest first.
func (o *Overview) Forecast(ctx context.Context, most int) ([]statsdb.ForecastRow, error) {
	rows, err := o.store.Stats.Forecast(ctx, most)
	if err != nil {
		return nil, err
	}
	ofServices, err := o.ofServices(ctx)
	if err != nil {
		return nil, err
	}
	rows = append(rows, ofServices...)
	slices.SortStableFunc(rows, func(a, b statsdb.ForecastRow) int { return a.By.Compare(b.By) })
	return rows[:min(len(rows), most)], nil
}

// ofServices are the ends of what proves the hub to services.
func (o *Overview) ofServices(ctx context.Context) (rows []statsdb.ForecastRow, err error) {
	services, err := o.store.Services.Services(ctx)
	if err != nil {
		return nil, err
	}
	certificates, err := o.store.Keys.CertificatesInUse(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		for _, end := range s.SecretEnds() {
			rows = append(rows, ofService(s, end.At, ReasonSecretEnds))
		}
		for _, c := range certificates {
			if _, needed := s.Key(c.Name); needed && c.ServiceID == s.ID {
				rows = append(rows, ofService(s, c.EndsAt, ReasonCertificateEnds))
			}
		}
	}
	return rows, nil
}

func ofService(s service.Service, by time.Time, reason string) statsdb.ForecastRow {
	return statsdb.ForecastRow{ServiceID: s.ID, ServiceName: s.Name, Title: s.Title, By: by, Reason: reason, UpdatedAt: s.UpdatedAt}
}
