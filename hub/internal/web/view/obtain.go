package view

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Entry is a form of a schema, with what was entered so far.
type Entry struct {
	// Prefix begins the names of its fields.
	Prefix string
	Schema provider.Schema
	// Values by name, as OptionText. Secrets stay out of it.
	Values map[string]string
	// Kept names the secrets that are stored, Again those that have to be entered again.
	Kept, Again []string
	Problems    Problems
}

// EntryOf is the form of a schema with stored values; secret ones are only named.
func EntryOf(prefix string, schema provider.Schema, stored map[string]any) Entry {
	e := Entry{Prefix: prefix, Schema: schema, Values: map[string]string{}}
	for _, o := range schema.Options {
		v, there := stored[o.Name]
		switch {
		case there && o.Secret:
			e.Kept = append(e.Kept, o.Name)
		case there:
			e.Values[o.Name] = OptionText(v)
		case o.Default != nil && !o.Secret:
			e.Values[o.Name] = OptionText(o.Default)
		}
	}
	return e
}

// GrantEntry is what a person enters for a login or a static key.
type GrantEntry struct {
	Grant  provider.Grant
	Fields Entry
	// Key describes a static key: who makes it, where, and how.
	Key provider.StaticKey
	// AskEnd is set if the end of the key is asked for; Ends is what was entered, and Life
	// how long a key lives if nothing is.
	AskEnd bool
	Ends   string
	Life   time.Duration
}

// GrantEntryOf is the empty form of a grant, without what is kept: a login or a key is
// entered whole. The names of its fields begin with the grant, because a page may have the
// forms of several.
func GrantEntryOf(d *provider.Description, grant provider.Grant) GrantEntry {
	v := GrantEntry{Grant: grant}
	switch grant {
	case provider.GrantLogin:
		v.Fields = EntryOf("login.", d.Login, nil)
	case provider.GrantStatic:
		v.Fields, v.Key = EntryOf("static.", d.StaticKey.Fields, nil), d.StaticKey
		v.AskEnd, v.Life = d.Lifetimes.AccessToken != provider.Never, max(0, d.Lifetimes.AccessToken)
	}
	return v
}

// Asks reports whether a person enters anything.
func (v GrantEntry) Asks() bool { return !v.Fields.Schema.IsZero() }

// ConnectionForm adds a connection.
type ConnectionForm struct {
	Services []ServiceRef
	// Service is the name of the chosen one.
	Service     string
	Name, Title string
	Problems    Problems
	// Known is set once the service is known, and with it what else is asked for.
	Known bool
	// Grants are the ways to choose from, Grant the chosen one.
	Grants []provider.Grant
	Grant  provider.Grant
	// Options are the connection's own, Entries what is entered for each way.
	Options Entry
	Entries []GrantEntry
}

// Browser reports whether the connection may be authorized in a browser.
func (f ConnectionForm) Browser() bool {
	return !f.Known || f.Grant == provider.GrantAuthorizationCode || f.Grant == provider.GrantDevice || len(f.Grants) > 1
}

// GrantForm is the page on which the login or the key of a connection is replaced.
type GrantForm struct {
	Connection Connection
	Entry      GrantEntry
	// Result is why the service did not accept what was entered; nil if nothing was.
	Result *Result
}

// OptionsForm is the page of the connection's own options.
type OptionsForm struct {
	Connection Connection
	Options    Entry
}

// grantFacts adds how a connection gets its tokens.
func (c *Connection) grantFacts(s service.Service) {
	if d := s.Description; d != nil {
		c.HasOptions = !d.ConnectionOptions.IsZero()
		c.Key = d.StaticKey
	}
}

// Entered reports whether the connection lives by what a person enters in the hub.
func (c Connection) Entered() bool {
	return c.Grant == provider.GrantLogin || c.Grant == provider.GrantStatic
}

// ByBrowser reports whether a person authorizes the connection in a browser.
func (c Connection) ByBrowser() bool {
	return c.Grant == "" || c.Grant == provider.GrantAuthorizationCode || c.ByDevice()
}

// ByDevice reports whether a person authorizes the connection by a code that is entered on
// another device.
func (c Connection) ByDevice() bool { return c.Grant == provider.GrantDevice }
