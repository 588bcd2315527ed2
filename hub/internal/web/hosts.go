package web

import (
	"errors"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// enterAgain is the problem of a secret that would go to another host.
func enterAgain(from, to string) i18n.Words {
	return i18n.Words{
		EN: "The channel would talk to " + to + " instead of " + from + ". A stored secret goes only to the host that it was entered for: enter the secret again.",
		RU: "Канал стал бы обращаться к " + to + " вместо " + from + ". Сохранённый секрет отправляется только туда, для чего его ввели: введите секрет ещё раз.",
	}
}

// mayConsent reports whether the person of a request may send grants to other hosts.
func mayConsent(c *gin.Context) bool {
	u, _ := person(c)
	return access.May(u.Role, access.ActConsent)
}

// heldHosts returns the hosts that services need consent for.
func heldHosts(services []service.Service) (v view.HeldHosts) {
	names := map[string]bool{}
	for _, s := range services {
		if !s.Held() {
			continue
		}
		more := service.HostNames(s.HeldHosts)
		v.Services = append(v.Services, view.HeldService{Name: s.Name, Title: s.Title, Was: strings.Join(service.HostNames(s.Hosts), ", "), New: strings.Join(more, ", ")})
		for _, name := range more {
			if !names[name] {
				names[name] = true
				v.Hosts = append(v.Hosts, name)
			}
		}
	}
	return v
}

// consentHosts is an owner's consent to what new versions of plugins moved, for all
// services at once that are concerned.
func (p *servicePages) consentHosts(c *gin.Context) {
	released, err := p.services.ConsentHosts(c.Request.Context(), c.PostFormArray(catalogue.ConsentHostsField))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		p.fail(c, err)
		return
	}
	titles := make([]string, 0, len(released))
	for _, s := range released {
		titles = append(titles, s.Title)
	}
	flash := view.Flash{Key: "flash.hosts_consented", Name: strings.Join(titles, ", ")}
	if len(released) == 0 {
		flash = view.Flash{Key: "flash.hosts_waiting", Bad: true}
	}
	p.flash(c, flash)
	back(c, "/services")
}
