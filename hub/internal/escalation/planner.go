package escalation

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// mostNamed is how many connections of an escalation are kept by id.
const mostNamed = 50

// Planner opens, continues and closes escalations and plans their deliveries. Each method
// is one transaction, or a part of the caller's: an escalation and its messages are written
// together with what they are about, or not at all. Any number of replicas may call it.
type Planner struct{ store *store.Store }

// NewPlanner returns the Planner of a store.
func NewPlanner(s *store.Store) *Planner { return &Planner{store: s} }

// Open opens an escalation and plans the messages of its event. An incident has at most one.
func (p *Planner) Open(ctx context.Context, e noticedb.Escalation) error {
	return p.store.InTx(ctx, func(ctx context.Context) error {
		kept := e
		kept.Connections = e.Connections[:min(len(e.Connections), mostNamed)]
		if err := p.store.Notices.AddEscalation(ctx, kept); err != nil {
			return err
		}
		return p.plan(ctx, e, e.Event, e.OpenedAt)
	})
}

// plan plans the messages of an event of an escalation. Those that are planned already
// stay as they are.
func (p *Planner) plan(ctx context.Context, e noticedb.Escalation, event policy.Event, now time.Time) error {
	planned, err := p.Plan(ctx, event, now, e.Connections)
	if err != nil {
		return err
	}
	return p.store.Notices.AddDeliveries(ctx, e.ID, kindOf(event), planned)
}

// Plan returns who would be notified of what and when if an event happened to connections
// at a time. Nothing is written.
func (p *Planner) Plan(ctx context.Context, event policy.Event, at time.Time, connectionIDs []string) ([]policy.Planned, error) {
	known, rules, err := p.rules(ctx)
	if err != nil || len(known) == 0 {
		return nil, err
	}
	situation, err := p.situation(ctx, event, at, connectionIDs)
	if err != nil {
		return nil, err
	}
	return policy.Plan(situation, rules, known), nil
}

// rules reads the contacts and the escalation policies.
func (p *Planner) rules(ctx context.Context) (contacts []policy.Contact, rules []policy.Policy, err error) {
	if contacts, err = p.store.People.Contacts(ctx); err != nil {
		return nil, nil, err
	}
	rules, err = p.store.Notices.Policies(ctx)
	return contacts, rules, err
}

// situation is what policies match: the services and tags of connections and their owners;
// changed hosts concern the owners of the hub, the end of a client secret or certificate also
// its administrators.
func (p *Planner) situation(ctx context.Context, event policy.Event, at time.Time, ids []string) (s policy.Situation, err error) {
	s = policy.Situation{Event: event, Began: at}
	roles := rolesTold(event)
	for _, role := range roles {
		contacts, err := p.store.People.ContactsOfRole(ctx, role)
		if err != nil {
			return s, err
		}
		s.Owners = append(s.Owners, contacts...)
	}
	if len(ids) == 0 {
		return s, nil
	}
	if s.Services, err = p.store.Grants.ServicesOf(ctx, ids); err != nil {
		return s, err
	}
	if s.Tags, err = p.store.Grants.TagsAmong(ctx, ids); err != nil || len(roles) > 0 {
		return s, err
	}
	s.Owners, err = p.store.People.OwnersOf(ctx, ids)
	return s, err
}

// rolesTold are the roles of the people whom an event concerns in place of the owners of
// connections.
func rolesTold(event policy.Event) []string {
	switch event {
	case policy.HostsChanged:
		return []string{access.RoleOwner}
	case policy.SecretEnds, policy.CertificateEnds:
		return []string{access.RoleOwner, access.RoleAdministrator}
	}
	return nil
}

// kindOf is the kind of the messages of an event.
func kindOf(event policy.Event) string {
	if event == policy.Recovered {
		return noticedb.DeliveryRecovered
	}
	return noticedb.DeliveryProblem
}
