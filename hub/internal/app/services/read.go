package services

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
)

// Find reads a service by its name. Errors: store.ErrNotFound.
func (x *Services) Find(ctx context.Context, name string) (service.Service, error) {
	return x.o.Store.Services.ServiceByName(ctx, name)
}

// Title is what people call a service that is known by its id; "" if it is gone.
func (x *Services) Title(ctx context.Context, id string) string {
	s, err := x.o.Store.Services.Service(ctx, id)
	if err != nil {
		return ""
	}
	return s.Title
}

// Names are the names of all services, ordered, without anything that is sealed.
func (x *Services) Names(ctx context.Context) ([]servicedb.ServiceName, error) {
	return x.o.Store.Services.ServiceNames(ctx)
}

// List reads all services.
func (x *Services) List(ctx context.Context) ([]service.Service, error) {
	return x.o.Store.Services.Services(ctx)
}

// Counts are the numbers of connections, by the services' ids.
func (x *Services) Counts(ctx context.Context) (map[string]int, error) {
	return x.o.Store.Grants.CountByService(ctx)
}

// CountTrash counts the deleted connections of a service, which keep it from being deleted.
func (x *Services) CountTrash(ctx context.Context, id string) (int, error) {
	return x.o.Store.Grants.CountTrashOfService(ctx, id)
}

// Published says since when, and by whom, a service is on the front page; a zero value if
// it is not.
func (x *Services) Published(ctx context.Context, id string) (servicedb.Published, error) {
	published, err := x.o.Store.Services.Published(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return servicedb.Published{}, nil
	}
	return published, err
}

// AnyPublished reports whether there is something for people without an account.
func (x *Services) AnyPublished(ctx context.Context) (bool, error) {
	return x.o.Store.Services.AnyPublished(ctx)
}

// AtFront are the services that are on the front page.
func (x *Services) AtFront(ctx context.Context) ([]service.Service, error) {
	return x.o.Store.Services.PublishedServices(ctx)
}

// Doubtful are the services that may have options in doubt.
func (x *Services) Doubtful(ctx context.Context) ([]service.Service, error) {
	return x.o.Store.Services.DoubtfulServices(ctx)
}

// Requests are a page of the services that were asked for, and how many of all are open.
func (x *Services) Requests(ctx context.Context, skip, most int) (found []noticedb.ServiceRequest, open int, err error) {
	if found, err = x.o.Store.Notices.ServiceRequests(ctx, skip, most); err == nil {
		open, err = x.o.Store.Notices.OpenServiceRequests(ctx)
	}
	return found, open, err
}
