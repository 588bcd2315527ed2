package provider

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Service is what an administrator added: our client registration at one
// authorization server.
type Service struct {
	// Name is the service's unique name in the hub.
	Name string
	// ClientID and ClientSecret are RFC 6749's. The secret is empty for public
	// clients. It may be sent only to hosts whose Host.ClientSecret is set.
	ClientID     string
	ClientSecret string
	// Scopes are what the administrator chose, in the service's own words.
	Scopes []string
	// Options are the values of Description.Options, by name. Values are string, bool,
	// int64 or []string according to the schema; defaults are filled in.
	Options map[string]any
	// Data is what PrepareService returned.
	Data []byte
	// Resources are what tokens are requested for (RFC 8707), in authorization and token
	// requests; empty if the administrator named none.
	Resources []string
}

// Option returns a text option, or "" if it is absent.
func (s Service) Option(option string) string {
	v, _ := s.Options[option].(string)
	return v
}

// Bool returns a yes-or-no option, or false if it is absent.
func (s Service) Bool(option string) bool {
	v, _ := s.Options[option].(bool)
	return v
}

// Int returns a whole-number option, or 0 if it is absent.
func (s Service) Int(option string) int64 {
	switch v := s.Options[option].(type) {
	case int64:
		return v
	case int:
		return int64(v)
	case float64:
		return int64(v)
	case json.Number:
		n, _ := v.Int64()
		return n
	}
	return 0
}

// LogValue implements slog.LogValuer; it shows neither secret nor options.
func (s Service) LogValue() slog.Value {
	return slog.GroupValue(slog.String("name", s.Name), slog.String("client_id", s.ClientID))
}

// GoString and Format keep the secret out of %v and %#v.
func (s Service) GoString() string { return "provider.Service{" + s.Name + "}" }

// Format implements fmt.Formatter: any verb prints the name alone.
func (s Service) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "service %s", s.Name) }
