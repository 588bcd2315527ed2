package escalation

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// TellOfCertificates opens an escalation for each client certificate in use that ends within
// 30, 14 and 3 days, or has ended, once for each certificate and term, and ends those that a
// later one continues or whose certificate was replaced. They go to the same people as those
// about client secrets. It returns how many it opened and ended.
func (p *Planner) TellOfCertificates(ctx context.Context, now time.Time) (begun, ended int, err error) {
	services, err := p.store.Services.Services(ctx)
	if err != nil {
		return 0, 0, err
	}
	inUse, err := p.store.Keys.CertificatesInUse(ctx, now)
	if err != nil {
		return 0, 0, err
	}
	return p.tellOfServices(ctx, policy.CertificateEnds, certificatesDue(services, inUse, now), now)
}

// certificatesDue are the escalations that there are to be at a time: none for certificates
// that their service does not need any more.
func certificatesDue(services []service.Service, inUse []keydb.Certificate, now time.Time) (due []noticedb.Escalation) {
	for _, c := range inUse {
		i := slices.IndexFunc(services, func(s service.Service) bool { return s.ID == c.ServiceID })
		if i < 0 {
			continue
		}
		days, near := secretTerm(c.EndsAt.Sub(now))
		if _, needed := services[i].Key(c.Name); !needed || !near {
			continue
		}
		code := secretLast
		if days == 0 {
			code = secretEnded
		}
		due = append(due, noticedb.Escalation{
			ID:    endNotice("client certificate "+c.Name+" "+c.KeyID, c.ServiceID, c.EndsAt, code, days),
			Event: policy.CertificateEnds, ServiceID: c.ServiceID, Code: code, OpenedAt: now, PersonBy: c.EndsAt,
		})
	}
	return due
}
