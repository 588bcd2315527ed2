package connections

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
)

// Past is what happened to a connection.
type Past struct {
	// Sets are the token sets that are kept, Records the acts, newest first.
	Sets    []grantdb.PastTokenSet
	Records []auditdb.AuditRecord
}

// Past reads what happened to a connection: all token sets that are kept, and at most so
// many records.
func (x *Connections) Past(ctx context.Context, c connection.Connection, most int) (p Past, err error) {
	if p.Records, err = x.o.Store.Audit.AuditRecords(ctx, auditdb.AuditFilter{ObjectKind: "connection", Object: c.Name, Limit: most}); err == nil {
		p.Sets, err = x.o.Store.Grants.History(ctx, c.ID)
	}
	return p, err
}

// Details is what belongs to a connection beside its row.
type Details struct {
	Tags []string
	// Accounts are those that may authorize it; none is any.
	Accounts []string
	// Offer is an authorization that is kept aside, Renewal one that is under way; nil
	// without one.
	Offer   *authdb.Offer
	Renewal *renewaldb.Intent
}

// Details reads what belongs to a connection beside its row.
func (x *Connections) Details(ctx context.Context, id string) (s Details, err error) {
	if s.Tags, err = x.o.Store.Grants.TagsOf(ctx, id); err != nil {
		return s, err
	}
	if s.Accounts, err = x.o.Store.Grants.AllowedAccounts(ctx, id); err != nil {
		return s, err
	}
	if s.Offer, err = x.o.Store.Authorizations.Offer(ctx, id, time.Now()); errors.Is(err, store.ErrNotFound) {
		s.Offer, err = nil, nil
	}
	if err != nil {
		return s, err
	}
	if s.Renewal, err = x.o.Store.Renewals.OpenIntent(ctx, id); errors.Is(err, store.ErrNotFound) {
		s.Renewal, err = nil, nil
	}
	return s, err
}

// Owner is the id of the contact who owns a connection; "" for none.
func (x *Connections) Owner(ctx context.Context, id string) (string, error) {
	return x.o.Store.People.Owner(ctx, id)
}

// List reads the connections that a filter chooses.
func (x *Connections) List(ctx context.Context, f grantdb.Filter) ([]connection.Connection, error) {
	return x.o.Store.Grants.Connections(ctx, f)
}

// Page is List for a page of a list, with tags and what comes next.
func (x *Connections) Page(ctx context.Context, f grantdb.Filter) (grantdb.Page, error) {
	return x.o.Store.Grants.ConnectionPage(ctx, f)
}

// CountByStatus counts what a filter chooses.
func (x *Connections) CountByStatus(ctx context.Context, f grantdb.Filter) (map[connection.Status]int, error) {
	return x.o.Store.Grants.CountByStatusOf(ctx, f, time.Now())
}

// AllTags are the tags that connections have.
func (x *Connections) AllTags(ctx context.Context) ([]grantdb.TagCount, error) {
	return x.o.Store.Grants.Tags(ctx)
}

// Trash reads deleted connections, the last deleted first.
func (x *Connections) Trash(ctx context.Context, f grantdb.TrashFilter) ([]grantdb.Trashed, error) {
	return x.o.Store.Grants.Trash(ctx, f)
}

// Trashed reads one deleted connection. Errors: store.ErrNotFound.
func (x *Connections) Trashed(ctx context.Context, id string) (grantdb.Trashed, error) {
	return x.o.Store.Grants.Trashed(ctx, id)
}

// CountTrash counts deleted connections: those whose name, title or account has the words,
// or all.
func (x *Connections) CountTrash(ctx context.Context, words string) (int, error) {
	return x.o.Store.Grants.CountTrash(ctx, grantdb.TrashFilter{Query: words})
}
