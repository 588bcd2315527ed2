package catalogue

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// HostChange reports that a service's secrets or grants may go to other hosts, or wait
// for an owner's consent.
type HostChange struct {
	Service service.Service
	// From are the names of the hosts before, New those that were not among them.
	From, New []string
	// How it came about.
	How HostsHow
}

// HostsHow is how hosts came to be others.
type HostsHow string

// The ways.
const (
	HostsChanged   HostsHow = "changed"   // the service was edited
	HostsHeld      HostsHow = "held"      // a new version of the plugin, or of its settings, names them
	HostsConsented HostsHow = "consented" // an owner agreed to what was held
)

// OnHosts sets the function that is called with every change of hosts. Call it before the
// first act.
func (c *Catalogue) OnHosts(told func(ctx context.Context, change HostChange)) { c.hosts = told }

// ConsentHostsField names the problem whose remedy is an owner's consent to hosts.
const ConsentHostsField = "consent_hosts"

// keptSecrets are the fields of a draft whose secret is to stay as it is stored.
func keptSecrets(draft ServiceDraft, old service.Service, schema provider.Schema) (fields []string) {
	if old.ClientSecret != "" && strings.TrimSpace(draft.ClientSecret) == "" {
		fields = append(fields, "client_secret")
	}
	if !old.OtherSecret.IsZero() && !draft.DropOther && strings.TrimSpace(draft.OtherSecret) == "" {
		fields = append(fields, OtherSecretField)
	}
	for _, o := range schema.Options {
		stored, there := old.Options[o.Name]
		entered, _ := draft.Options[o.Name].(string)
		if o.Secret && there && stored != "" && strings.TrimSpace(entered) == "" {
			fields = append(fields, "options."+o.Name)
		}
	}
	return fields
}

// enterAgain refuses to have stored secrets go to hosts that they were not entered for.
func enterAgain(fields []string, from, more []provider.Host) error {
	if len(fields) == 0 || len(more) == 0 {
		return nil
	}
	invalid := &InvalidError{NewHosts: service.HostNames(more)}
	was, is := strings.Join(service.HostNames(from), ", "), strings.Join(invalid.NewHosts, ", ")
	for _, field := range fields {
		invalid.add(field,
			"The service would talk to "+is+" beside "+was+". A stored secret goes only to the hosts that it was entered for: enter the secret again.",
			"Сервис стал бы обращаться к "+is+" (было: "+was+"). Сохранённый секрет отправляется только на те узлы, для которых его ввели: введите секрет ещё раз.")
	}
	return invalid
}

// consented checks that an owner has agreed, by name, to the new hosts of a service that
// has grants. more are their names; what is wrong already comes back with it.
func (c *Catalogue) consented(ctx context.Context, draft ServiceDraft, id string, more []string, invalid *InvalidError) error {
	grants, err := c.store.Grants.CountGrants(ctx, id)
	if err != nil {
		return err
	}
	agreed := draft.MayConsent && !slices.ContainsFunc(more, func(name string) bool { return !slices.Contains(draft.ConsentHosts, name) })
	if grants > 0 && len(more) > 0 && !agreed {
		if invalid == nil {
			invalid = &InvalidError{NewHosts: more}
		}
		invalid.askConsent(draft.MayConsent)
	}
	if invalid == nil {
		return nil
	}
	return invalid.orNil()
}

func (e *InvalidError) askConsent(owner bool) {
	list := strings.Join(e.NewHosts, ", ")
	if !owner {
		e.add(ConsentHostsField,
			"This service has grants, and they would go to "+list+": an owner of the hub has to make this change.",
			"У сервиса есть доступы, и они попали бы на "+list+": такое изменение должен внести владелец хаба.")
		return
	}
	e.Consent = e.NewHosts
	e.add(ConsentHostsField,
		"This service has grants: refresh tokens would go to "+list+". Agree to these hosts by name if you know them.",
		"У сервиса есть доступы: refresh-токены попадут на "+list+". Согласитесь с этими узлами, если вы их знаете.")
}

// guards reports whether a service has something that must not go elsewhere.
func (c *Catalogue) guards(ctx context.Context, svc service.Service) (bool, error) {
	if len(svc.Secrets()) > 0 {
		return true, nil
	}
	if svc.Description != nil {
		for _, o := range svc.Description.Options.Options {
			if value, there := svc.Options[o.Name]; o.Secret && there && value != "" {
				return true, nil
			}
		}
	}
	grants, err := c.store.Grants.CountGrants(ctx, svc.ID)
	return grants > 0, err
}

// bindAnew gives a prepared service the hosts that it is bound to: those of old, and what
// the new description names beside if nothing of the service can get there. Otherwise old
// is held as it is.
func (c *Catalogue) bindAnew(ctx context.Context, old, prepared service.Service, own []provider.Host, now time.Time) (svc service.Service, changed bool, err error) {
	bound, reached := old.Bound(own), service.HostsOf(prepared, own)
	more := service.Beyond(bound, reached)
	if len(more) > 0 {
		guarded, err := c.guards(ctx, old)
		if err != nil {
			return old, false, err
		}
		if guarded {
			held := old
			held.Hosts, held.HeldHosts, held.UpdatedAt = bound, more, now
			return held, !slices.Equal(old.HeldHosts, more), nil
		}
	}
	prepared.Hosts, prepared.HeldHosts = service.Merged(bound, reached), nil
	return prepared, true, nil
}

// HeldServices are those that wait for an owner's consent, by name.
func (c *Catalogue) HeldServices(ctx context.Context) ([]service.Service, error) {
	services, err := c.store.Services.Services(ctx)
	return slices.DeleteFunc(services, func(s service.Service) bool { return !s.Held() }), err
}

// ConsentHosts is an owner's consent to new hosts, by name: every held service all of
// whose new hosts are among them uses its plugin's new description. It returns these
// services.
func (c *Catalogue) ConsentHosts(ctx context.Context, names []string) (released []service.Service, err error) {
	held, err := c.HeldServices(ctx)
	if err != nil {
		return nil, err
	}
	for _, was := range held {
		var change *HostChange
		var next service.Service
		err := c.rewrite(ctx, was.ID, func(old service.Service) (_ service.Service, _ bool, err error) {
			more := service.HostNames(old.HeldHosts)
			if change = nil; len(more) == 0 || slices.ContainsFunc(more, func(name string) bool { return !slices.Contains(names, name) }) {
				return old, false, nil
			}
			change = &HostChange{Service: old, From: service.HostNames(old.Hosts), New: more, How: HostsConsented}
			free, now := old, time.Now()
			free.Hosts, free.HeldHosts, free.UpdatedAt = service.Merged(old.Hosts, old.HeldHosts), nil, now
			var changed bool
			if next, changed, err = c.refreshed(ctx, free, now); !changed {
				next = free
			}
			return next, true, err
		})
		if err != nil {
			return released, err
		}
		if change != nil {
			released = append(released, change.Service)
			c.hosts(ctx, *change)
			c.notifyHeld(ctx, service.Service{}, next)
		}
	}
	return released, nil
}

// notifyHeld reports a service that is now on hold.
func (c *Catalogue) notifyHeld(ctx context.Context, old, svc service.Service) {
	if svc.Held() && !slices.Equal(old.HeldHosts, svc.HeldHosts) {
		names := service.HostNames(svc.HeldHosts)
		c.log.Warn("service on hold: plugin declares new hosts, owner consent required",
			"service", svc.Name, "hosts", strings.Join(names, ", "))
		c.hosts(ctx, HostChange{Service: svc, From: service.HostNames(svc.Hosts), New: names, How: HostsHeld})
	}
}
