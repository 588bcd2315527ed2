package services

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
)

// AskFor keeps a request for a service that is missing, and has administrators told.
// Anybody whom a page lets ask may: people, holders of a link, visitors of the front page.
// counted is by what requests are counted; what is asked too often is refused before it is
// an act. Errors: store.ErrTooOften.
func (x *Services) AskFor(ctx context.Context, r noticedb.ServiceRequest, counted string, limit servicedb.FrontLimit) error {
	if err := x.o.Store.Services.UseFront(ctx, servicedb.FrontRequest+"."+r.Source, counted, limit, r.CreatedAt); err != nil {
		return err
	}
	a := act.Act{Name: "request.add", On: audit.Object{Kind: "request", Name: r.ID}, Detail: []string{"service", r.Service, "source", r.Source}}
	err := x.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error { return escalation.NewPlanner(x.o.Store).Request(ctx, r) })
	if err == nil {
		x.o.Asked()
	}
	return err
}

// Done says that a request was carried out. Errors: store.ErrNotFound if it is not open.
func (x *Services) Done(ctx context.Context, id string) (noticedb.ServiceRequest, error) {
	return x.decide(ctx, act.Act{Name: "request.done", Needs: access.ActManage, On: audit.Object{Kind: "request", Name: id}}, noticedb.RequestDone)
}

// Decline says that a request will not be carried out. Errors: as Done.
func (x *Services) Decline(ctx context.Context, id string) (noticedb.ServiceRequest, error) {
	return x.decide(ctx, act.Act{Name: "request.decline", Needs: access.ActManage, On: audit.Object{Kind: "request", Name: id}}, noticedb.RequestDeclined)
}

func (x *Services) decide(ctx context.Context, a act.Act, state string) (r noticedb.ServiceRequest, err error) {
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if r, err = escalation.NewPlanner(x.o.Store).DecideRequest(ctx, a.On.Name, state, act.From(ctx).Name, time.Now()); err == nil {
			e.Add("service", r.Service)
		}
		return err
	})
	return r, err
}
