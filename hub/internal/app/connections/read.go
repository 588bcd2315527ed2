package connections

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// Past is what happened to a connection.
type Past struct {
	// Sets are the token sets that are kept, Records the acts, newest first.
	Sets    []store.PastTokenSet
	Records []store.AuditRecord
}

// Past reads what happened to a connection: all token sets that are kept, and at most so
// many records.
func (x *Connections) Past(ctx context.Context, c connection.Connection, most int) (p Past, err error) {
	if p.Records, err = x.o.Store.AuditRecords(ctx, store.AuditFilter{ObjectKind: "connection", Object: c.Name, Limit: most}); err == nil {
		p.Sets, err = x.o.Store.History(ctx, c.ID)
	}
	return p, err
}

// Standing is what belongs to a connection beside its row.
type Standing struct {
	Tags []string
	// Offer is an authorisation that is kept aside, Renewal one that is under way; nil
	// without one.
	Offer   *store.Offer
	Renewal *store.Intent
}

// Standing reads what belongs to a connection beside its row.
func (x *Connections) Standing(ctx context.Context, id string) (s Standing, err error) {
	if s.Tags, err = x.o.Store.TagsOf(ctx, id); err != nil {
		return s, err
	}
	if s.Offer, err = x.o.Store.Offer(ctx, id, time.Now()); errors.Is(err, store.ErrNotFound) {
		s.Offer, err = nil, nil
	}
	if err != nil {
		return s, err
	}
	if s.Renewal, err = x.o.Store.OpenIntent(ctx, id); errors.Is(err, store.ErrNotFound) {
		s.Renewal, err = nil, nil
	}
	return s, err
}

// Owner is the id of the contact whose a connection is; "" for nobody.
func (x *Connections) Owner(ctx context.Context, id string) (string, error) {
	return x.o.Store.Owner(ctx, id)
}

// List reads the connections that a filter chooses.
func (x *Connections) List(ctx context.Context, f store.Filter) ([]connection.Connection, error) {
	return x.o.Store.Connections(ctx, f)
}

// Page is List for a page of a list, with tags and what comes next.
func (x *Connections) Page(ctx context.Context, f store.Filter) (store.Page, error) {
	return x.o.Store.ConnectionPage(ctx, f)
}

// CountByStatus counts what a filter chooses.
func (x *Connections) CountByStatus(ctx context.Context, f store.Filter) (map[connection.Status]int, error) {
	return x.o.Store.CountByStatusOf(ctx, f, time.Now())
}

// AllTags are the tags that connections have.
func (x *Connections) AllTags(ctx context.Context) ([]store.TagCount, error) {
	return x.o.Store.Tags(ctx)
}

// Trash reads deleted connections, the last deleted first.
func (x *Connections) Trash(ctx context.Context, f store.TrashFilter) ([]store.Trashed, error) {
	return x.o.Store.Trash(ctx, f)
}

// Trashed reads one deleted connection. Errors: store.ErrNotFound.
func (x *Connections) Trashed(ctx context.Context, id string) (store.Trashed, error) {
	return x.o.Store.Trashed(ctx, id)
}

// CountTrash counts deleted connections: those whose name, title or account has the words,
// or all.
func (x *Connections) CountTrash(ctx context.Context, words string) (int, error) {
	return x.o.Store.CountTrash(ctx, store.TrashFilter{Query: words})
}
