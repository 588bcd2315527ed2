package service

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Service is what an administrator added. It never prints its secrets.
type Service struct {
	ID    string
	Name  string // unique slug, part of the callback's address
	Title string // any Unicode
	// Provider is the name of the provider that serves it.
	Provider string
	// ClientID and ClientSecret are our registration at the service (RFC 6749
	// section 2.3.1). The secret is empty for public clients. It is the one that an
	// administrator made current; see At.
	ClientID     string
	ClientSecret string
	// SecretEndsAt is when the service stops accepting ClientSecret; zero if no end is
	// known.
	SecretEndsAt time.Time
	// OtherSecret is a second client secret that the service accepts as well, the fallback
	// of the current one; zero if there is none.
	OtherSecret Secret
	Scopes      []string
	// Options are the values of the description's option schema, by name. Values
	// are string, bool, int64 or []string. Secret ones are among them.
	Options map[string]any
	// Data is what the provider prepared for itself; it may hold secrets.
	Data []byte
	// RedirectURI overrides the hub's own callback address; usually "".
	RedirectURI string
	// PrivateHosts are hosts inside a private network that an administrator allowed
	// this service to reach: names or addresses, with a port or for all.
	PrivateHosts []string
	// ApprovedHosts are patterns beyond the provider's own that an administrator
	// approved for this service.
	ApprovedHosts []string
	// Hosts are those to which the service's secrets and grants may go: the ones that the
	// secrets were entered for, and an owner consented to. Empty for a service of a
	// version that did not keep them; see Bound.
	Hosts []provider.Host
	// HeldHosts are further ones that a new version of the plugin or of its settings
	// names, and that wait for an owner's consent. Nothing is sent until then.
	HeldHosts []provider.Host
	// Description is the effective one, as prepared for this service.
	Description *provider.Description
	// PluginSum is the SHA-256 of the plugin that prepared the description.
	PluginSum string
	// Doubtful is set for a service stored by a version whose web hub kept every
	// yes/no option as no, until an administrator has said how they stand; see Doubts.
	Doubtful  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Key is the declaration of a key that the service needs, by its name; false if it needs none
// of that name.
func (s Service) Key(name string) (provider.Key, bool) {
	if s.Description == nil {
		return provider.Key{}, false
	}
	i := slices.IndexFunc(s.Description.Keys, func(k provider.Key) bool { return k.Name == name })
	if i < 0 {
		return provider.Key{}, false
	}
	return s.Description.Keys[i], true
}

// ForProvider returns the part that a provider gets with each request.
func (s Service) ForProvider() provider.Service {
	return provider.Service{
		Name: s.Name, ClientID: s.ClientID, ClientSecret: s.ClientSecret,
		Scopes: slices.Clone(s.Scopes), Options: maps.Clone(s.Options), Data: slices.Clone(s.Data),
	}
}

// LogValue implements slog.LogValuer and shows neither secret nor options.
func (s Service) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", s.ID), slog.String("name", s.Name),
		slog.String("provider", s.Provider), slog.String("client_id", s.ClientID))
}

// GoString keeps the secrets out of %#v.
func (s Service) GoString() string { return "service.Service{" + s.Name + "}" }

// Format implements fmt.Formatter: any verb prints the name alone.
func (s Service) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "service %s", s.Name) }
