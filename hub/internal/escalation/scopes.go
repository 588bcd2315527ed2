package escalation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// TellScopes opens an escalation for a connection that lacks scopes: its owner is told, and
// gets a link that asks for them. While one of the connection is open nothing more is
// sent; its page shows what was reported since. told is false then.
func (p *Planner) TellScopes(ctx context.Context, c connection.Connection, now time.Time) (told bool, err error) {
	err = p.store.InTx(ctx, func(ctx context.Context) error {
		open, err := p.openScopes(ctx, c.ServiceID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(open, func(e noticedb.Escalation) bool { return slices.Contains(e.Connections, c.ID) }) {
			return nil
		}
		told = true
		return p.Open(ctx, noticedb.Escalation{
			ID: store.NewID(), Event: policy.ScopesNeeded, ServiceID: c.ServiceID, Message: strings.Join(c.LackedScopes(), ", "), Affected: 1,
			Connections: []string{c.ID}, OpenedAt: now,
		})
	})
	return told, err
}

// openScopes are the open escalations about scopes of a service, "" is all services.
func (p *Planner) openScopes(ctx context.Context, serviceID string) ([]noticedb.Escalation, error) {
	return p.store.Notices.Escalations(ctx, noticedb.EscalationFilter{Open: true, OfNoIncident: true, Event: policy.ScopesNeeded, ServiceID: serviceID})
}

// EndScopes ends the escalations whose connections have what they lacked, or are not to
// have it, or are gone. Nobody is told: whoever granted it knows.
func (p *Planner) EndScopes(ctx context.Context, now time.Time) error {
	open, err := p.openScopes(ctx, "")
	if err != nil {
		return err
	}
	for _, e := range open {
		lacks, err := p.lackScopes(ctx, e.Connections)
		if err != nil {
			return err
		}
		if lacks {
			continue
		}
		if err := p.Supersede(ctx, e.ID, now); err != nil {
			return err
		}
	}
	return nil
}

// lackScopes reports whether any of some connections lacks scopes.
func (p *Planner) lackScopes(ctx context.Context, ids []string) (bool, error) {
	for _, id := range ids {
		c, err := p.store.Grants.Connection(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil || len(c.LackedScopes()) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}
