package hub

import (
	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/data"
	"github.com/evergrant/evergrant/hub/internal/app/definitions"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/app/keys"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/app/plugins"
	"github.com/evergrant/evergrant/hub/internal/app/services"
)

// acts are what people, API keys and the hub itself do, by area.
type acts struct {
	people        *people.People
	keys          *keys.Keys
	plugins       *plugins.Plugins
	definitions   *definitions.Definitions
	notifications *notifications.Notifications
	data          *data.Data
}

// wireGrantActs ties the acts on connections, grants and services to the parts that do the
// work. Runs on many connections use them.
func (h *Hub) wireGrantActs() {
	h.recorder = act.NewRecorder(h.store, h.audit)
	h.connections = connections.New(connections.Options{
		Store: h.store, Catalogue: h.catalogue, Source: h.source, Flow: h.flow, TestCalls: h.testCalls, Recorder: h.recorder, Logger: h.log.Named("connections"),
		Told: func() { h.escalates.Wake() },
	})
	h.grants = grants.New(grants.Options{Store: h.store, Flow: h.flow, Recorder: h.recorder, Logger: h.log.Named("authorize")})
	h.services = services.New(services.Options{
		Store: h.store, Catalogue: h.catalogue, Flow: h.flow, Access: h.access, Keyring: h.keyring, Recorder: h.recorder, Asked: func() { h.escalates.Wake() },
	})
}

// wireActs ties the other acts to the parts that do the work. Those on plugins are there before
// (startPlugins), for plugins run before anything else does.
func (h *Hub) wireActs() {
	h.acts.people = people.New(people.Options{
		Store: h.store, Access: h.access, Recorder: h.recorder, Passkeys: h.access.Passkeys(h.cfg.PublicURL), OIDC: h.signIn(), JoinAs: h.cfg.OIDC.JoinAs,
	})
	h.acts.keys = keys.New(keys.Options{Store: h.store, Access: h.access, Recorder: h.recorder})
	h.acts.notifications = notifications.New(notifications.Options{Store: h.store, Escalation: h.escalates, Recorder: h.recorder, PublicURL: h.cfg.PublicURL})
	h.acts.data = data.New(data.Options{
		Store: h.store, Recorder: h.recorder, Adopt: h.data.Adopt, Bulk: h.bulk, Withdrawn: h.withdrawn, SendAnchor: h.escalates.SendAnchor, Logger: h.log.Named("data"),
	})
}

// signIn is the sign-in service by which people log in; nil without one.
func (h *Hub) signIn() *access.OIDC {
	return access.NewOIDC(access.OIDCOptions{
		Issuer: h.cfg.OIDC.Issuer, ClientID: h.cfg.OIDC.ClientID, ClientSecret: h.cfg.OIDC.ClientSecret,
		Title: h.cfg.OIDC.Title, RedirectURI: h.cfg.PublicURL + "/login/oidc/callback",
	})
}
