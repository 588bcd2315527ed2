package escalation

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// Codes of the escalations of policy.SecretEnds and policy.CertificateEnds.
const (
	// secretLast is a secret whose end stops renewals.
	secretLast = "last"
	// secretCovered is one whose end stops nothing: the other secret lasts longer.
	secretCovered = "covered"
	// secretEnded is one that has ended with no other that lasts.
	secretEnded = "ended"
)

// TellOfSecrets opens an escalation for each client secret that ends within 30, 14 and 3
// days, or has ended with no other that lasts, once for each secret and term, and ends
// those that a later one continues or whose secret was replaced. It goes to the people who
// may replace it: administrators and owners. It returns how many it opened and ended.
func (p *Planner) TellOfSecrets(ctx context.Context, now time.Time) (begun, ended int, err error) {
	services, err := p.store.Services.Services(ctx)
	if err != nil {
		return 0, 0, err
	}
	return p.tellOfServices(ctx, policy.SecretEnds, secretsDue(services, now), now)
}

// tellOfServices opens the due escalations of an event that are not open yet, and ends those
// that are due no more. It returns how many it opened and ended.
func (p *Planner) tellOfServices(ctx context.Context, event policy.Event, due []noticedb.Escalation, now time.Time) (begun, ended int, err error) {
	err = p.store.InTx(ctx, func(ctx context.Context) error {
		begun, ended = 0, 0
		contacts, err := p.store.People.Contacts(ctx)
		if err != nil || len(contacts) == 0 {
			return err // what cannot be notified now is notified later
		}
		if ended, err = p.endServices(ctx, event, due, now); err != nil {
			return err
		}
		for _, e := range due {
			opened, err := p.openService(ctx, e)
			if err != nil {
				return err
			}
			if opened {
				begun++
			}
		}
		return nil
	})
	return begun, ended, err
}

// secretsDue are the escalations that there are to be at a time.
func secretsDue(services []service.Service, now time.Time) (due []noticedb.Escalation) {
	for _, svc := range services {
		for _, end := range svc.SecretEnds() {
			days, near := secretTerm(end.At.Sub(now))
			if !near || days == 0 && end.Covered {
				continue
			}
			code := secretLast
			switch {
			case end.Covered:
				code = secretCovered
			case days == 0:
				code = secretEnded
			}
			due = append(due, noticedb.Escalation{
				ID: endNotice("client secret", svc.ID, end.At, code, days), Event: policy.SecretEnds, ServiceID: svc.ID, Code: code, OpenedAt: now, PersonBy: end.At,
			})
		}
	}
	return due
}

// secretTerm is the shortest term that a time until an end lies within, in days: 0 is an
// end that has passed.
func secretTerm(left time.Duration) (days int, near bool) {
	if left <= 0 {
		return 0, true
	}
	for _, days := range slices.Sorted(slices.Values(policy.SecretDays)) {
		if left <= time.Duration(days)*day {
			return days, true
		}
	}
	return 0, false
}

// endNotice is the id of an escalation about the end of what proves the hub to a service, the
// same in every replica: so that only one of them opens it.
func endNotice(what, serviceID string, end time.Time, code string, days int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d %s %d", what, serviceID, end.UnixMilli(), code, days))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// openService opens one that was not open before.
func (p *Planner) openService(ctx context.Context, e noticedb.Escalation) (opened bool, err error) {
	if _, err = p.store.Notices.Escalation(ctx, e.ID); !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	concerned, err := p.store.Grants.Connections(ctx, grantdb.Filter{ServiceID: e.ServiceID, Limit: mostNamed})
	if err != nil {
		return false, err
	}
	for _, c := range concerned {
		e.Connections = append(e.Connections, c.ID)
	}
	if e.Affected, err = p.store.Grants.CountChosen(ctx, grantdb.Filter{ServiceID: e.ServiceID}); err != nil {
		return false, err
	}
	return true, p.Open(ctx, e)
}

// endServices ends the open ones that are not due any more, without a message: whoever
// replaced the secret or certificate knows of it. It returns their number.
func (p *Planner) endServices(ctx context.Context, event policy.Event, due []noticedb.Escalation, now time.Time) (ended int, err error) {
	open, err := p.store.Notices.Escalations(ctx, noticedb.EscalationFilter{Open: true, OfNoIncident: true, Event: event})
	if err != nil {
		return 0, err
	}
	for _, e := range open {
		if slices.ContainsFunc(due, func(x noticedb.Escalation) bool { return x.ID == e.ID }) {
			continue
		}
		if err := p.Supersede(ctx, e.ID, now); err != nil {
			return ended, err
		}
		ended++
	}
	return ended, nil
}
