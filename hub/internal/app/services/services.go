package services

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/keyring"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Options of Services.
type Options struct {
	Store     *store.Store
	Catalogue *catalogue.Catalogue
	Flow      *authflow.Flow
	Access    *access.Access
	Keyring   *keyring.Keyring
	Recorder  *act.Recorder
	// Asked is called after a service was requested, to have administrators notified.
	// Optional.
	Asked func()
}

// Services carries out the acts on services. It is safe for concurrent use.
type Services struct{ o Options }

// New returns Services.
func New(o Options) *Services {
	if o.Asked == nil {
		o.Asked = func() {}
	}
	return &Services{o: o}
}

func about(name string, needs access.Act, serviceName string, detail ...string) act.Act {
	return act.Act{Name: name, Needs: needs, On: audit.Object{Kind: "service", Name: serviceName}, Detail: detail}
}

// MayConsent reports whether the caller may agree that grants go to other hosts: an owner,
// an API key that an owner has made, or the hub's own machine.
func (x *Services) MayConsent(ctx context.Context) (bool, error) {
	who := act.From(ctx)
	if who.Key.ID != "" {
		return x.o.Access.KeyMay(ctx, who.Key, access.ActConsent)
	}
	return who.May(access.ActConsent), nil
}

// Add checks and stores a new service. Errors: *catalogue.InvalidError, *provider.Error of
// the provider's own check.
func (x *Services) Add(ctx context.Context, draft catalogue.ServiceDraft) (s service.Service, err error) {
	err = x.o.Recorder.Ask(ctx, about("service.add", access.ActManage, draft.Name, "provider", draft.Provider), func(ctx context.Context, _ *act.Entry) (err error) {
		if s, err = x.o.Catalogue.AddService(ctx, draft); err == nil {
			err = x.o.Keyring.Ensure(ctx, s)
		}
		return err
	})
	return s, err
}

// Edit checks and stores changes of a service. Whether the caller may consent to hosts is
// found here. Errors: as Add, store.ErrNotFound, store.ErrStale.
func (x *Services) Edit(ctx context.Context, name string, draft catalogue.ServiceDraft) (s service.Service, err error) {
	err = x.o.Recorder.Ask(ctx, about("service.edit", access.ActManage, name), func(ctx context.Context, e *act.Entry) (err error) {
		if s, err = x.o.Store.Services.ServiceByName(ctx, name); err != nil {
			return err
		}
		if draft.MayConsent, err = x.MayConsent(ctx); err != nil {
			return err
		}
		old := s
		if s, err = x.o.Catalogue.EditService(ctx, s.ID, draft); err == nil {
			e.Named(s.Name)
			e.Add(secretChanges(old, s)...)
			if s.Name != name {
				e.Add("was", name)
			}
			err = x.o.Keyring.Ensure(ctx, s)
		}
		return err
	})
	return s, err
}

// Delete removes a service without connections. Errors: store.ErrInUse with, and was is the
// service; store.ErrNotFound.
func (x *Services) Delete(ctx context.Context, name string) (was service.Service, err error) {
	err = x.o.Recorder.Change(ctx, about("service.delete", access.ActManage, name), func(ctx context.Context, _ *act.Entry) (err error) {
		if was, err = x.o.Store.Services.ServiceByName(ctx, name); err == nil {
			err = x.o.Catalogue.RemoveService(ctx, was.ID)
		}
		return err
	})
	return was, err
}

// Publish lets people without an account take access codes of a service. Errors:
// store.ErrNotFound.
func (x *Services) Publish(ctx context.Context, name string) (service.Service, error) {
	return x.published(ctx, about("service.publish", access.ActPublish, name), func(ctx context.Context, s service.Service) error {
		return x.o.Store.Services.Publish(ctx, s.ID, act.From(ctx).Name, time.Now())
	})
}

// Unpublish ends that. Errors: store.ErrNotFound.
func (x *Services) Unpublish(ctx context.Context, name string) (service.Service, error) {
	return x.published(ctx, about("service.unpublish", access.ActPublish, name), func(ctx context.Context, s service.Service) error {
		return x.o.Store.Services.Unpublish(ctx, s.ID)
	})
}

func (x *Services) published(ctx context.Context, a act.Act, do func(context.Context, service.Service) error) (s service.Service, err error) {
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) (err error) {
		if s, err = x.o.Store.Services.ServiceByName(ctx, a.On.Name); err == nil {
			err = do(ctx, s)
		}
		return err
	})
	return s, err
}

// Check reports whether a service would accept authorizations: editing is the name of the
// service that is changed, empty for a new one. Nothing is stored. Errors:
// *catalogue.InvalidError, *provider.Error of the provider's own check, store.ErrNotFound.
func (x *Services) Check(ctx context.Context, editing string, draft catalogue.ServiceDraft) (found authflow.Checked, err error) {
	err = x.o.Recorder.Ask(ctx, about("service.check", access.ActManage, draft.Name), func(ctx context.Context, e *act.Entry) error {
		id := ""
		if editing != "" {
			s, err := x.o.Store.Services.ServiceByName(ctx, editing)
			if err != nil {
				return err
			}
			id = s.ID
		}
		s, err := x.o.Catalogue.Prepare(ctx, id, draft)
		if _, invalid := errors.AsType[*catalogue.InvalidError](err); invalid {
			e.Add("result", "incomplete")
			return err
		}
		hosts := strings.Join(service.HostNames(s.Hosts), ", ")
		if err != nil {
			if _, refused := errors.AsType[*provider.Error](err); refused {
				e.Add("result", "refused", "hosts", hosts)
			}
			return err
		}
		found = x.o.Flow.Check(ctx, s)
		e.Add("result", string(found.Verdict), "hosts", hosts)
		return nil
	})
	return found, err
}

// SettleDoubts is an administrator's answer about a service's doubtful options: they are
// right as stored, or get their defaults. Errors: *catalogue.InvalidError, *provider.Error,
// store.ErrNotFound, store.ErrStale.
func (x *Services) SettleDoubts(ctx context.Context, name string, asStored bool) (s service.Service, err error) {
	answer := "default"
	if asStored {
		answer = "stored"
	}
	err = x.o.Recorder.Ask(ctx, about("service.settle", access.ActManage, name, "answer", answer), func(ctx context.Context, e *act.Entry) (err error) {
		if s, err = x.o.Store.Services.ServiceByName(ctx, name); err != nil {
			return err
		}
		var asked []string
		for _, d := range s.Doubts() {
			asked = append(asked, d.Option.Name)
		}
		e.Add("options", strings.Join(asked, " "))
		return x.o.Catalogue.SettleDoubts(ctx, s.ID, asStored)
	})
	return s, err
}

// ConsentHosts is an owner's consent to new hosts, by name, for all services at once that
// wait for them. It returns those that go on. Errors: act.ErrNotAllowed.
func (x *Services) ConsentHosts(ctx context.Context, hosts []string) (released []service.Service, err error) {
	may, err := x.MayConsent(ctx)
	if err != nil {
		return nil, err
	}
	a := about("service.consent_hosts", access.ActConsent, "", "hosts", strings.Join(hosts, ", "))
	if may { // also a key whose maker may
		a.Needs = ""
	}
	err = x.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if released, err = x.o.Catalogue.ConsentHosts(ctx, hosts); err != nil {
			return err
		}
		if len(released) == 0 {
			e.Refuse("no service waits for these hosts alone")
		}
		return nil
	})
	return released, err
}
